//! Why the engine could not do its part, and what to do.

use std::io;
use std::path::PathBuf;

use muletrain_proto::docker_host;
use muletrain_proto::exit_code::ExitCode;

/// Why the engine could not do its part.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none that is used.
    #[error(transparent)]
    Host(#[from] docker_host::Error),
    /// Nobody is there.
    #[error("no Docker Engine answers at {host}; start it, or run with --runtime process")]
    Absent {
        /// Its address.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// Somebody is there and will not talk to this user.
    #[error(
        "this user may not use the Docker Engine at {host}; add them to its group (sudo usermod \
         -aG docker $USER, then log in again), or run with --runtime process"
    )]
    Denied {
        /// Its address.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// A call took too long.
    #[error("the Docker Engine took more than {seconds} s to {what}; is it overloaded?")]
    Deadline {
        /// The call, after "to".
        what: &'static str,
        /// The limit.
        seconds: u64,
    },
    /// A call failed.
    #[error("cannot {what}")]
    Engine {
        /// The call, after "cannot".
        what: &'static str,
        /// Why.
        source: bollard::errors::Error,
    },
    /// The image to start from cannot be had.
    #[error(
        "no image {image} is here and it cannot be pulled: {why}; build or load it, or name \
         another in [image] base"
    )]
    NoImage {
        /// Its name.
        image: String,
        /// What the engine says.
        why: String,
    },
    /// Somebody removed an image as soon as it was made.
    #[error("image {image} was removed while it was used; try again")]
    Lost {
        /// Its name.
        image: String,
    },
    /// The project has no such Dockerfile.
    #[error("the project has no {path}, which [image] dockerfile names")]
    NoDockerfile {
        /// As configured.
        path: String,
    },
    /// Its `.dockerignore` is wrong.
    #[error("cannot tell what belongs to the context of the Dockerfile")]
    Context(#[from] crate::pure::build_context::Error),
    /// The Dockerfile does not build; the log has been shown.
    #[error("cannot build {path}: {why}")]
    Dockerfile {
        /// Which.
        path: String,
        /// What the engine says.
        why: String,
    },
    /// A command failed; its log has been shown.
    #[error("`{command}` failed with exit code {status} in {image}")]
    Step {
        /// The command.
        command: String,
        /// How it ended.
        status: i64,
        /// The image it ran in.
        image: String,
    },
    /// No Python there can import Django.
    #[error(
        "no Python of {image} can import django ({said}); install the project's dependencies \
         with [image] install, or name the interpreter with [project] python"
    )]
    NoDjango {
        /// The image.
        image: String,
        /// What each candidate said.
        said: String,
    },
    /// The user is unknown there.
    #[error("{image} has no user {user:?}: {said}; name another with [image] user")]
    NoUser {
        /// The image.
        image: String,
        /// The user.
        user: String,
        /// What was said.
        said: String,
    },
    /// What is put where the project goes does not get into images.
    #[error(
        "{image} has a volume at {volume}, and the project goes to {root}: what it has in a volume \
         gets into no image; let [image] root name another folder, or remove the VOLUME from the \
         image"
    )]
    Volume {
        /// The image.
        image: String,
        /// Its volume.
        volume: String,
        /// Where the project goes.
        root: String,
    },
    /// The project would be all there is.
    #[error("the project cannot go to / of {image}; let [image] root name a folder")]
    WholeImage {
        /// The image.
        image: String,
    },
    /// The bundle of certificate authorities is none.
    #[error("[image] ca_bundle {}: {why}", path.display())]
    Bundle {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The checkout cannot be read.
    #[error(transparent)]
    Source(#[from] crate::source::Error),
    /// Its Python cannot tell what is in an image.
    #[error("cannot tell which files {image} has; is its Python complete?")]
    Unlisted {
        /// The image.
        image: String,
    },
}

impl Error {
    /// Whether there simply is no engine.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// The exit code that tells of it.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Host(_) | Self::NoDockerfile { .. } | Self::Context(_) => ExitCode::Usage,
            Self::Bundle { .. } => ExitCode::Usage,
            _ => ExitCode::Infrastructure,
        }
    }
}
