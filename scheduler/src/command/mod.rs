//! The commands, one a file.

mod early;
mod ending;
mod explain;
mod hooks;
mod isolate;
mod past;
pub mod remote;
pub mod run;
pub mod serve;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use muletrain_proto::client;
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::id::RunId;
use muletrain_proto::run::{Iteration, Options, Secrets};
use muletrain_proto::snapshot::Snapshot;

use crate::handle::SubmitError;
use crate::pure::label;
use crate::{blobs, history, listen, settings, sibling};

/// Why a command could not do what it is for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Arguments or configuration.
    #[error(transparent)]
    Settings(#[from] settings::Error),
    /// Another binary.
    #[error(transparent)]
    Sibling(#[from] sibling::Error),
    /// A label names nothing.
    #[error(transparent)]
    Label(#[from] label::Unknown),
    /// A label names a class that is not there.
    #[error(transparent)]
    Class(#[from] crate::pure::early::Missing),
    /// Stored runs do not say what to run.
    #[error(transparent)]
    Past(#[from] past::Error),
    /// Nobody reports the run any more.
    #[error("the reporter ended early ({how}); what is stored of the run can be reported")]
    Reporter {
        /// How it ended.
        how: String,
    },
    /// The run is not accepted.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// Nobody can connect.
    #[error(transparent)]
    Listen(#[from] listen::Error),
    /// A scheduler cannot be reached.
    #[error(transparent)]
    Connect(#[from] client::Error),
    /// A scheduler said no.
    #[error("the scheduler at {address} refused: {}", status.message())]
    Refused {
        /// Which.
        address: client::Address,
        /// What it said.
        status: Box<tonic::Status>,
    },
    /// The history cannot be used.
    #[error(transparent)]
    History(#[from] history::Error),
    /// Images cannot be kept.
    #[error(transparent)]
    Blobs(#[from] blobs::Error),
    /// A file or folder.
    #[error("cannot {verb} {}", path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// With what.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Signals or standard output.
    #[error("cannot use the terminal")]
    Terminal(#[from] io::Error),
}

impl Error {
    /// How the process ends because of it.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Settings(_) | Self::Past(_) => ExitCode::Usage,
            Self::Label(_) | Self::Class(_) => ExitCode::Usage,
            Self::Submit(SubmitError::Label(_) | SubmitError::Selection(_)) => ExitCode::Usage,
            Self::Listen(listen::Error::Address(_) | listen::Error::NotLoopback(_)) => {
                ExitCode::Usage
            }
            Self::Connect(client::Error::Address { .. }) => ExitCode::Usage,
            Self::Refused { status, .. } if status.code() == tonic::Code::InvalidArgument => {
                ExitCode::Usage
            }
            Self::Sibling(error) => error.exit_code(),
            _ => ExitCode::Infrastructure,
        }
    }
}

/// Makes the folder that muletrain keeps in a project; git does not see what is in it.
fn make_state_folder(project: &Path) -> Result<PathBuf, Error> {
    let folder = settings::state_folder(project);
    let ignore = folder.join(".gitignore");
    std::fs::create_dir_all(&folder).map_err(|source| Error::File {
        verb: "create",
        path: folder.clone(),
        source,
    })?;
    if !ignore.exists() {
        std::fs::write(&ignore, "*\n").map_err(|source| Error::File {
            verb: "write",
            path: ignore.clone(),
            source,
        })?;
    }
    Ok(folder)
}

/// Says that a stored run leaves nothing to be run again.
fn nothing_left(run: &RunId) -> ExitCode {
    eprintln!("run {run} left nothing to run again: every test of it went well");
    ExitCode::Green
}

/// The settings' options for one repetition of a run.
fn repetition(settings: &settings::Settings, options: &Options, number: u32) -> Options {
    let Some(limit) = settings.until_failure else { return options.clone() };
    let shuffle = match settings.reshuffles && number > 1 {
        true => Some(settings::new_seed()),
        false => options.shuffle,
    };
    Options { iteration: Some(Iteration { number, limit }), shuffle, ..options.clone() }
}

/// The values of what the configuration passes on from this environment.
fn collect_secrets(snapshot: &Snapshot) -> Secrets {
    let mut values = BTreeMap::new();
    for name in &snapshot.environment.pass {
        match std::env::var(name) {
            Ok(value) => {
                values.insert(name.clone(), value);
            }
            Err(_) => tracing::warn!("{name} is named in `[env] pass` and is not set here"),
        }
    }
    Secrets(values)
}

/// How the run ended, as its reporter says.
fn reported(status: io::Result<std::process::ExitStatus>) -> Result<ExitCode, Error> {
    let code = status.as_ref().ok().and_then(std::process::ExitStatus::code);
    code.and_then(ExitCode::from_status).ok_or_else(|| Error::Reporter {
        how: status.map_or_else(|error| error.to_string(), |status| status.to_string()),
    })
}
