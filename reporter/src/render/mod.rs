//! From a summary to text. Pure: the same summary gives the same bytes.

pub mod json;
pub mod junit;
pub mod terminal;
