//! From a summary to text. Pure: the same summary gives the same bytes.

pub mod compare;
pub mod ctrf;
pub mod github;
pub mod gitlab;
pub mod history;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod terminal;
pub mod trace;
