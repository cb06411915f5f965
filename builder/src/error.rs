//! Why the builder gives up, and with which exit code.

use std::path::PathBuf;

use muletrain_proto::config;
use muletrain_proto::exit_code::ExitCode;

use crate::{docker, process, push, source, warm};

/// Why the builder gives up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The folder is no project muletrain can test.
    #[error("{} has no manage.py; name it in [project] manage, or the settings in [project] settings", path.display())]
    NoManage {
        /// The folder.
        path: PathBuf,
    },
    /// The configured `manage.py` is not in the tree.
    #[error("{} has no {manage}, which [project] manage names", path.display())]
    MissingManage {
        /// The folder.
        path: PathBuf,
        /// As configured.
        manage: String,
    },
    /// There are several to choose from.
    #[error("{} has no manage.py but {}; choose one with [project] manage", path.display(), found.join(" and "))]
    SeveralManage {
        /// The folder.
        path: PathBuf,
        /// Those found.
        found: Vec<String>,
    },
    /// The checkout cannot be read.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// Something the configuration names cannot be used.
    #[error("{0}")]
    Usage(String),
    /// The Docker Engine could not do its part.
    #[error(transparent)]
    Docker(#[from] docker::Error),
    /// The host could not do its part.
    #[error(transparent)]
    Process(#[from] process::Error),
    /// Images could not be sent.
    #[error(transparent)]
    Push(#[from] push::Error),
    /// Databases could not be set up ahead.
    #[error(transparent)]
    Warm(#[from] warm::Error),
    /// The answer cannot be written.
    #[error("cannot write to standard output")]
    Output(#[source] std::io::Error),
    /// A signal came.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Whether the checkout changed while it was read, so that reading it again may help.
    #[must_use]
    pub fn is_change(&self) -> bool {
        match self {
            Self::Source(error) | Self::Docker(docker::Error::Source(error)) => error.is_change(),
            _ => false,
        }
    }

    /// Whether an image was removed while it was used, so that beginning again may help.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        matches!(self, Self::Docker(error) if error.is_loss())
    }

    /// The exit code that tells of it.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_)
            | Self::NoManage { .. }
            | Self::MissingManage { .. }
            | Self::SeveralManage { .. }
            | Self::Source(source::Error::NoFolder { .. } | source::Error::NoCommit { .. })
            | Self::Usage(_) => ExitCode::Usage,
            Self::Docker(error) => error.exit_code(),
            Self::Push(push::Error::Snapshot(_)) => ExitCode::Usage,
            Self::Warm(error) => error.exit_code(),
            Self::Push(_) | Self::Source(_) | Self::Process(_) | Self::Output(_) => {
                ExitCode::Infrastructure
            }
            Self::Interrupted => ExitCode::Interrupted,
        }
    }
}
