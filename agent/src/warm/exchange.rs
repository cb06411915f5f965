//! Databases of other agents, by way of the scheduler: asked for before any are made, and offered
//! once they are.
//!
//! Whatever goes wrong here, databases are made as if there were no other agents.

use std::time::Duration;

use muletrain_proto::blob::{Digest, PIECE_LIMIT, Upload};
use muletrain_proto::cli::chain;
use muletrain_proto::client::Address;
use muletrain_proto::client::blobs::{Blobs, Error as Refused};
use muletrain_proto::client::databases::{Databases, Sought};
use muletrain_proto::offer::{Offer, Seek};
use muletrain_proto::snapshot::Service;

use super::store::ENTRY_LIMIT;
use crate::blobs::Arriving;
use crate::docker::travel;
use crate::pure::kept::{Entry, VERSION};
use crate::runtime::Runtime;

/// How long another agent may take to make what this one wants too.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// A scheduler by which agents give each other databases.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    scheduler: Address,
}

/// Why databases are not offered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Scheduler(#[from] Refused),
    #[error(transparent)]
    Image(#[from] travel::Error),
    #[error("service {service} has an image that the snapshot does not name by its id")]
    Unnamed { service: String },
    #[error("they cannot be written")]
    Json(#[from] serde_json::Error),
}

impl Exchange {
    pub(super) fn new(scheduler: Address) -> Self {
        Self { scheduler }
    }

    /// What others offer and is not known. While another one makes what is wanted, it is waited
    /// for. None: nothing is offered, and nobody else is told of what is made here.
    pub(super) async fn seek(&self, seek: Seek) -> Option<Sought> {
        let asked = async { Databases::connect(&self.scheduler).await?.seek(seek).await };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(sought)) => sought,
            Ok(Err(error)) => {
                tracing::warn!(%error, "other agents are not asked for databases");
                None
            }
            Err(_) => {
                tracing::warn!("another agent takes too long to set databases up");
                None
            }
        }
    }

    /// Databases that are offered, with the names of their blobs, as far as they can be had.
    pub(super) async fn entries(&self, offers: &[Digest]) -> Vec<(String, Entry)> {
        let mut entries = Vec::new();
        for offer in offers {
            match self.entry(*offer).await {
                Ok(Some(entry)) => entries.push((offer.to_string(), entry)),
                Ok(None) => tracing::debug!(%offer, "databases of another version"),
                Err(error) => tracing::info!(%error, "databases of another agent are out of reach"),
            }
        }
        entries
    }

    async fn entry(&self, offer: Digest) -> Result<Option<Entry>, crate::blobs::Error> {
        let arriving = Arriving::open(&self.scheduler, offer).await?;
        let bytes = arriving.whole(ENTRY_LIMIT).await?;
        let entry: Option<Entry> = serde_json::from_slice(&bytes).ok();
        Ok(entry.filter(|entry| entry.version == VERSION))
    }

    /// Offers databases that were made for a snapshot with these services.
    pub(super) async fn offer(
        &self,
        key: Digest,
        entry: &Entry,
        services: &[Service],
        runtime: &Runtime,
    ) {
        match self.try_to_offer(key, entry, services, runtime).await {
            Ok(()) => tracing::info!(%key, "other agents are offered the databases"),
            Err(error) => {
                tracing::info!(why = chain(&error), "other agents are not offered the databases");
            }
        }
    }

    async fn try_to_offer(
        &self,
        key: Digest,
        entry: &Entry,
        services: &[Service],
        runtime: &Runtime,
    ) -> Result<(), Error> {
        for (service, image) in &entry.images {
            let lower = lower(services, service);
            let lower = lower.ok_or_else(|| Error::Unnamed { service: service.clone() })?;
            runtime.send_image(image, lower, &self.scheduler).await?;
        }
        let bytes = serde_json::to_vec(entry)?;
        let digest = Digest::of(&bytes);
        let upload = Upload { digest, size: bytes.len() as u64, offset: 0 };
        let pieces: Vec<Vec<u8>> = bytes.chunks(PIECE_LIMIT / 2).map(<[u8]>::to_vec).collect();
        Blobs::connect(&self.scheduler).await?.put(upload, tokio_stream::iter(pieces)).await?;
        let offer = Offer { key, entry: digest };
        Ok(Databases::connect(&self.scheduler).await?.offer(offer).await?)
    }
}

/// Id of the image that a service has without databases.
pub(super) fn lower<'a>(services: &'a [Service], name: &str) -> Option<&'a str> {
    services.iter().find(|service| service.name == name)?.image_id.as_deref()
}
