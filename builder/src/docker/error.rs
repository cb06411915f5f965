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
    /// It went away.
    #[error("the Docker Engine went away before it could {what}; is it still running?")]
    Gone {
        /// The call, after "could".
        what: &'static str,
        /// Why.
        source: bollard::errors::Error,
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
    /// The engine commits containers and leaves out what the image is to say of itself.
    #[error(
        "this engine makes images without the labels that it is told (Podman does), so no snapshot \
         can be made with it; name a Docker Engine with --docker-host, or run with --runtime \
         process ({image} has none)"
    )]
    Unlabelled {
        /// The image.
        image: String,
    },
    /// The project has no such Dockerfile.
    #[error("the project has no {path}, which [image] dockerfile names")]
    NoDockerfile {
        /// As configured.
        path: String,
    },
    /// Its `.dockerignore` is wrong.
    #[error("cannot read .dockerignore")]
    Context(#[source] crate::pure::patterns::Error),
    /// What a step reads is written wrongly.
    #[error("cannot tell what a step of [image] prepare reads")]
    Prepare(#[source] crate::pure::patterns::Error),
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
    /// No Python there can import what runs the tests.
    #[error(
        "no Python of {image} can import {imports} ({said}); install the project's dependencies \
         with [image] install, or name the interpreter with [project] python"
    )]
    Unable {
        /// The image.
        image: String,
        /// The modules.
        imports: String,
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
    /// What steps leave does not get into images.
    #[error(
        "[image] prepare leaves files in {volume}, which is a volume of {image} and gets into no \
         image; let its steps write to another folder, or remove the VOLUME from the image"
    )]
    PreparedVolume {
        /// The image.
        image: String,
        /// Its volume.
        volume: String,
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

    /// Whether somebody removed an image meanwhile, so that beginning again may help.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }

    /// The exit code that tells of it.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Host(_) | Self::NoDockerfile { .. } | Self::Context(_) => ExitCode::Usage,
            Self::Bundle { .. } | Self::Prepare(_) => ExitCode::Usage,
            _ => ExitCode::Infrastructure,
        }
    }
}
