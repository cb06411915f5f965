//! What pods are made of, behind one face.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use muletrain_proto::client::Address;
use muletrain_proto::id::LeaseKey;
use muletrain_proto::lease::Lease;
use muletrain_proto::link::RunBrief;

use crate::docker::{self, Docker, travel};
use crate::pod::Pod;
use crate::process::{self, Processes};
use crate::pure::harness::Hello;
use crate::pure::kept::Images;
use crate::pure::pod;

/// Makes pods, kills them and removes all trace of them.
#[derive(Debug, Clone)]
pub enum Runtime {
    /// As containers.
    Docker(Arc<Docker>),
    /// As host processes.
    Process(Arc<Processes>),
}

/// Why there is no pod.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The snapshot does not fit this agent.
    #[error(transparent)]
    Unfit(#[from] pod::Error),
    /// The engine, an image or a service.
    #[error(transparent)]
    Docker(#[from] docker::Error),
    /// A host process.
    #[error(transparent)]
    Process(#[from] process::Error),
}

impl Error {
    /// Whether it is about what a service is, and comes again each time it is to be kept.
    #[must_use]
    pub fn is_about_keeping(&self) -> bool {
        matches!(
            self,
            Self::Docker(docker::Error::Volume { .. } | docker::Error::NotStopped { .. })
        )
    }
}

impl Runtime {
    /// Starts the pod of a lease.
    ///
    /// # Errors
    /// When it cannot be brought up; what of it was, [`Self::remove`] takes away.
    pub async fn start(&self, lease: &Lease, brief: &RunBrief) -> Result<Pod, Error> {
        match self {
            Self::Docker(docker) => docker.start(&lease.key, brief).await,
            Self::Process(processes) => processes.start(&lease.key, brief).await,
        }
    }

    /// What the harness of a lease is told first.
    #[must_use]
    pub fn hello(&self, lease: &Lease, brief: &RunBrief) -> Hello {
        match self {
            // Nobody else is on a container's network, so its databases are its own.
            Self::Docker(_) => pod::hello(lease, brief, brief.snapshot.content.root().to_owned()),
            Self::Process(processes) => {
                let root = text(&processes.root(&lease.key));
                let db_token = Some(processes.database_token(&lease.key));
                Hello { db_token, ..pod::hello(lease, brief, root) }
            }
        }
    }

    /// The memory limit of a pod, where there is one.
    #[must_use]
    pub fn memory_limit(&self, brief: &RunBrief) -> Option<u64> {
        match self {
            Self::Docker(_) => Some(pod::limits(brief).memory),
            Self::Process(_) => None,
        }
    }

    /// Kills the tests of a pod at once.
    pub async fn kill(&self, lease: &LeaseKey) {
        match self {
            Self::Docker(docker) => docker.kill(lease).await,
            Self::Process(processes) => processes.kill(lease),
        }
    }

    /// Removes all of a pod, alive or not.
    pub async fn remove(&self, lease: &LeaseKey) {
        match self {
            Self::Docker(docker) => docker.remove(lease).await,
            Self::Process(processes) => processes.remove(lease).await,
        }
    }

    /// Stops the services of a pod and makes images of those that store data, for an entry of a
    /// store of kept databases.
    ///
    /// # Errors
    /// When there is one that cannot be kept.
    pub async fn keep_services(
        &self,
        lease: &LeaseKey,
        brief: &RunBrief,
        (store, entry): (&str, &str),
    ) -> Result<Images, Error> {
        match self {
            Self::Docker(docker) => Ok(docker.keep_services(lease, brief, (store, entry)).await?),
            Self::Process(_) => Ok(Images::default()),
        }
    }

    /// Sends what a scheduler lacks of an image that was made of a service's.
    ///
    /// # Errors
    /// When it was made of another one, or cannot be sent.
    pub async fn send_image(
        &self,
        image: &str,
        lower: &str,
        scheduler: &Address,
    ) -> Result<(), travel::Error> {
        match self {
            Self::Docker(docker) => docker.send_image(image, lower, scheduler).await,
            Self::Process(_) => Ok(()),
        }
    }

    /// Brings an image that another agent made of a service's, and makes it one of a store here:
    /// its id and the bytes it takes.
    ///
    /// # Errors
    /// When it cannot be had.
    pub async fn adopt_image(
        &self,
        image: &str,
        lower: &str,
        service: &str,
        place: travel::Place<'_>,
    ) -> Result<(String, u64), travel::Error> {
        match self {
            Self::Docker(docker) => docker.adopt_image(image, lower, service, place).await,
            Self::Process(_) => Ok((image.to_owned(), 0)),
        }
    }

    /// Whether all images are there.
    pub async fn has_images(&self, images: impl Iterator<Item = &String>) -> bool {
        match self {
            Self::Docker(docker) => docker.has_images(images).await,
            Self::Process(_) => images.count() == 0,
        }
    }

    /// Removes the images of a store that belong to other entries than these.
    pub async fn remove_images(&self, store: &str, entries: &BTreeSet<String>) {
        match self {
            Self::Docker(docker) => docker.remove_images(store, entries).await,
            Self::Process(_) => {}
        }
    }

    /// Removes what belongs to this agent and to no live lease, earlier lives of it included.
    pub async fn sweep(&self, live: &[LeaseKey]) {
        match self {
            Self::Docker(docker) => docker.sweep(live).await,
            Self::Process(processes) => processes.remove_idle().await,
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
