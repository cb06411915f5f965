//! Decisions of the builder: no files, no engine, no clock.

pub mod apps;
pub mod build_context;
pub mod dependencies;
pub mod digest;
pub mod private;
pub mod project;
pub mod python_version;
pub mod tree;

mod app_config;
