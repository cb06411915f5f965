//! What can go wrong with an engine, in words that say what to do.

use std::sync::Arc;
use std::time::Duration;

use muletrain_proto::docker_host::Endpoint;
use muletrain_proto::seconds::Seconds;

use super::fetch;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers.
    #[error("no Docker Engine answers at {endpoint}; `muletrain-agent check` says what is missing")]
    Unreachable {
        /// Where.
        endpoint: Endpoint,
        /// What the client says.
        source: bollard::errors::Error,
    },
    /// The engine refused, or broke off.
    #[error("failed to {what}")]
    Call {
        /// What was asked.
        what: String,
        /// What it says.
        source: bollard::errors::Error,
    },
    /// The engine did not answer.
    #[error("failed to {what}: the Docker Engine did not answer within {} s", .limit.as_secs())]
    Deadline {
        /// What was asked.
        what: String,
        /// How long it had.
        limit: Duration,
    },
    /// The snapshot's image is not on this engine.
    #[error(
        "image {image} is neither on this Docker Engine nor at the scheduler; submit the run \
         again, which sends it there, or build the snapshot on this engine"
    )]
    NoImage {
        /// Its id.
        image: String,
    },
    /// It is not, and could not be brought there.
    #[error("cannot bring image {image} to the Docker Engine at {endpoint}")]
    Fetch {
        /// Its id.
        image: String,
        /// Where.
        endpoint: Endpoint,
        /// Why.
        source: Arc<fetch::Error>,
    },
    /// It is for other machines than the engine's.
    #[error(
        "image {image} is for {platform} and this Docker Engine runs {engine}; build the snapshot \
         on such a machine, or run the agent on one for {platform}"
    )]
    OtherPlatform {
        /// Its id.
        image: String,
        /// What the snapshot says.
        platform: String,
        /// What the engine runs.
        engine: String,
    },
    /// The engine found another image under that id.
    #[error(
        "image {image} turned out to be {found} on this Docker Engine; build the snapshot again"
    )]
    OtherImage {
        /// What was asked for.
        image: String,
        /// What is there.
        found: String,
    },
    /// The image is for other machines.
    #[error("image {image} is for {found}, the snapshot says {platform}")]
    Platform {
        /// Its id.
        image: String,
        /// What it is for.
        found: String,
        /// What it should be for.
        platform: String,
    },
    /// A service's image is not on this engine, and agents never fetch what a branch names.
    #[error(
        "image {image} of service {service} is not on this Docker Engine; fetch it: docker pull {image}"
    )]
    NoServiceImage {
        /// The service.
        service: String,
        /// Its image.
        image: String,
    },
    /// A service ended.
    #[error("service {service} {how} before it was ready{log}")]
    ServiceEnded {
        /// Which.
        service: String,
        /// How.
        how: String,
        /// The end of its log.
        log: LogTail,
    },
    /// A service does not get ready.
    #[error("service {service} was not ready within {}{log}", Seconds::from(*.limit))]
    ServiceNotReady {
        /// Which.
        service: String,
        /// How long it had.
        limit: Duration,
        /// The end of its log.
        log: LogTail,
    },
    /// What asks a service's port ended without an answer.
    #[error("what asks the port of service {service} {how}")]
    Probe {
        /// The service.
        service: String,
        /// How.
        how: String,
    },
    /// What a service stores is not part of what an image of its container would hold.
    #[error(
        "service {service} stores in {data}, which is in {volume}, a volume of its image, so it \
         cannot be kept; let it store in a folder that is none, and name that in \
         services.{service}.data"
    )]
    Volume {
        /// The service.
        service: String,
        /// Where it stores.
        data: String,
        /// The volume.
        volume: String,
    },
    /// What a service stores may be incomplete.
    #[error(
        "service {service} did not stop as it should: {how}; set STOPSIGNAL of its image to the \
         signal by which it stops in good order, with status 0{log}"
    )]
    NotStopped {
        /// The service.
        service: String,
        /// What became of it.
        how: String,
        /// The end of its log.
        log: LogTail,
    },
    /// A pod without a container for its tests.
    #[error("the pod has no container for its tests")]
    Empty,
}

/// The end of a log, as part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTail(pub String);

impl std::fmt::Display for LogTail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.trim_end() {
            "" => formatter.write_str(" (its log is empty)"),
            text => write!(formatter, "; the end of its log:\n{text}"),
        }
    }
}

impl Error {
    /// Turns "there is no such container", and "it is not running", into success.
    pub(super) fn unless_gone(self) -> Result<(), Self> {
        match self.status() {
            Some(404 | 409) => Ok(()),
            _ => Err(self),
        }
    }

    /// The engine's HTTP status, where it answered.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Call {
                source: bollard::errors::Error::DockerResponseServerError { status_code, .. },
                ..
            } => Some(*status_code),
            _ => None,
        }
    }
}

/// What the engine says, without what the library says of it.
pub(super) fn said(error: &bollard::errors::Error) -> String {
    match error {
        bollard::errors::Error::DockerResponseServerError { message, .. } => message.clone(),
        bollard::errors::Error::DockerStreamError { error } => error.clone(),
        error => error.to_string(),
    }
}

/// A call with a deadline.
pub(super) async fn within<T>(
    limit: Duration,
    what: impl Fn() -> String,
    call: impl Future<Output = Result<T, bollard::errors::Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result.map_err(|source| Error::Call { what: what(), source }),
        Err(_) => Err(Error::Deadline { what: what(), limit }),
    }
}
