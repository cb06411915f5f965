//! The configuration of a project: `muletrain.toml`, or `[tool.muletrain]` of `pyproject.toml`.
//!
//! What is not a key here cannot be configured. In particular no key leads to privileged
//! containers, host namespaces, devices, mounts of the host or the Docker socket.

mod check;
mod error;
mod file;
mod order;
mod preset;
mod results;
mod schema;
mod service;
mod step;
mod suite;
pub mod units;

pub use check::artifact;
pub use error::Error;
pub use file::{Found, find};
pub use order::{Flaky, Retry, Shuffle};
pub use preset::{Kind, Preset};
pub use results::Results;
pub use schema::{Config, Coverage, Env, Hooks, Image, Project, Run, Runtime, Service, ShowOutput};
pub use step::Step;
pub use suite::{Suite, SuiteKind};

use serde::Deserialize;

/// Name of the configuration file in a project's root.
pub const FILE: &str = "muletrain.toml";

/// Reads the text of a `muletrain.toml`; `origin` names it in errors.
///
/// # Errors
/// When it is not TOML, holds an unknown key, or a value that cannot be.
pub fn parse(text: &str, origin: &str) -> Result<Config, Error> {
    let config = toml::from_str(text).map_err(|source| error::explain(&source, text, origin))?;
    checked(config, origin)
}

/// Reads `[tool.muletrain]` of a `pyproject.toml`; none where there is no such table.
fn parse_pyproject(text: &str, origin: &str) -> Result<Option<Config>, Error> {
    #[derive(Deserialize)]
    struct Pyproject {
        tool: Option<Tool>,
    }
    #[derive(Deserialize)]
    struct Tool {
        muletrain: Option<Config>,
    }
    let file: Pyproject =
        toml::from_str(text).map_err(|source| error::explain(&source, text, origin))?;
    let config = file.tool.and_then(|tool| tool.muletrain);
    config.map(|config| checked(config, origin)).transpose()
}

fn checked(config: Config, origin: &str) -> Result<Config, Error> {
    match check::check(&config) {
        Ok(()) => Ok(config),
        Err(message) => Err(Error::Invalid { origin: origin.to_owned(), line: None, message }),
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod service_tests;

#[cfg(test)]
mod suite_tests;
