//! Decisions of the builder: no files, no engine, no clock.

pub mod apps;
pub mod collection;
pub mod delta;
pub mod dependencies;
pub mod detection;
pub mod digest;
pub mod dockerfile;
pub mod holding;
pub mod image;
pub mod left_out;
pub mod patterns;
pub mod prepare;
pub mod private;
pub mod project;
pub mod python_version;
pub mod records;
pub mod stat;
pub mod suites;
pub mod tree;

mod app_config;
