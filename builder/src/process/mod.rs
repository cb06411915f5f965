//! Snapshots without Docker: a private copy of the tree, and a virtual environment beside it.

mod cache;
pub mod garbage;
mod prepare;
mod python;
mod step;
mod users;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use muletrain_proto::snapshot::Content;

pub use cache::Cache;

use crate::build::{Frozen, Place, Placed};
use crate::progress::Progress;
use crate::pure::dependencies;

/// Why the host could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The builder itself cannot start.
    #[error("cannot start the builder's runtime")]
    Start {
        /// Why.
        source: io::Error,
    },
    /// The cache cannot be used.
    #[error("cannot use the cache at {}; choose another folder with --cache", path.display())]
    Cache {
        /// The file or folder in it.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Services need containers.
    #[error(
        "the process runtime starts no services, and {names} is configured; run with Docker, or \
         set the host or URL of a server of your own in [env] set"
    )]
    Services {
        /// Their names.
        names: String,
    },
    /// There is no such Python.
    #[error("cannot start {python}; install it, or name another with [project] python")]
    NoPython {
        /// As it was to be started.
        python: String,
        /// Why.
        source: io::Error,
    },
    /// The interpreter is none.
    #[error("{python} does not work as a Python interpreter: {said}")]
    BrokenPython {
        /// Its path.
        python: String,
        /// The end of what it said.
        said: String,
    },
    /// What runs the tests cannot be imported.
    #[error("{python} cannot import {imports}: {said}; {fix}")]
    Unable {
        /// The interpreter.
        python: String,
        /// The modules.
        imports: String,
        /// The end of what it said.
        said: String,
        /// What to do.
        fix: &'static str,
    },
    /// A command of the installation failed; its log has been shown.
    #[error("`{command}` failed with {status} while installing the dependencies")]
    Step {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// A step that prepares the project failed; its log has been shown.
    #[error("`{command}` of [image] prepare failed with {status}")]
    Prepare {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
}

/// Words in names of variables by which projects find their servers.
const SERVER_WORDS: [&str; 6] = ["HOST", "URL", "DSN", "SERVER", "ADDR", "SOCKET"];

/// Makes a snapshot in the cache.
///
/// # Errors
/// When services are declared and no server is named, or Python or the dependencies do not work.
pub async fn place(frozen: &Frozen, place: &Place<'_>) -> Result<Placed, crate::error::Error> {
    let Place { cache, staging, progress } = *place;
    check_services(frozen, progress)?;
    let mut root = cache.keep(&frozen.source, staging)?;
    let texts = frozen.source.texts(dependencies::SPEAKING)?;
    let python = python::prepare(cache, frozen, &texts, &root, progress).await?;
    let steps = &frozen.config.image.prepare;
    if !steps.is_empty() {
        root = prepare::prepare(frozen, &python, place).await?;
    }
    let identity = ["process", &python.path, &python.version, &python.key];
    let prepare = steps.iter().map(|step| step.run.as_str());
    let id = frozen.id(&identity.into_iter().chain(prepare).collect::<Vec<_>>())?;
    progress.say(&format!("snapshot {id} in {}", root.display()));
    let root = root.to_string_lossy().into_owned();
    let (content, images) = (Content::Process { root }, BTreeMap::new());
    Ok(Placed { id, content, python: python.path, images })
}

fn check_services(frozen: &Frozen, progress: &Progress) -> Result<(), Error> {
    if frozen.services.is_empty() {
        return Ok(());
    }
    let names = frozen.services.iter().map(|service| service.name.as_str());
    let names = names.collect::<Vec<_>>().join(", ");
    let variables = frozen.environment.set.keys().chain(&frozen.environment.pass);
    let names_server = |name: &String| {
        let name = name.to_ascii_uppercase();
        SERVER_WORDS.iter().any(|word| name.contains(word))
    };
    match variables.into_iter().any(names_server) {
        true => {
            progress.note(format!("not started: {names}; tests use the servers that [env] names"));
            Ok(())
        }
        false => Err(Error::Services { names }),
    }
}
