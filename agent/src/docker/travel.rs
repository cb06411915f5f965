//! Images of services with databases on them, on their way from one engine to another.

use std::collections::HashMap;
use std::io::{self, Write};

use bollard::models::{ContainerConfig, ContainerCreateBody};
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, CreateContainerOptionsBuilder, RemoveImageOptions,
};
use futures_util::TryStreamExt;
use muletrain_proto::blob::Digest;
use muletrain_proto::client::Address;
use muletrain_proto::client::blobs::{self, Blobs};
use muletrain_proto::client::parts::{self, of_archive};
use muletrain_proto::id::LeaseKey;

use super::error::{self, within};
use super::fetch::{LOAD, REPOSITORY as FETCHED};
use super::kept::{COMMIT, REPOSITORY};
use super::{ACT, ASK, Docker};
use crate::pure::pod::label;

/// Why an image stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine.
    #[error(transparent)]
    Engine(#[from] Box<error::Error>),
    /// It was made of another image than the snapshot names, which others need not have.
    #[error("image {image} is not on {lower}, which the snapshot names")]
    Elsewhere {
        /// Which.
        image: String,
        /// What it should be on.
        lower: String,
    },
    /// The engine gives the image away in another way.
    #[error("the Docker Engine saves image {image} without {digest}")]
    Lacking {
        /// Which.
        image: String,
        /// What should be in it.
        digest: String,
    },
    /// The scheduler.
    #[error(transparent)]
    Blobs(#[from] blobs::Error),
    /// A part of it.
    #[error(transparent)]
    Part(#[from] parts::Error),
    /// A file that it is in meanwhile.
    #[error("failed to write an image to a temporary file")]
    File(#[from] io::Error),
}

impl From<error::Error> for Error {
    fn from(error: error::Error) -> Self {
        Self::Engine(Box::new(error))
    }
}

/// Where an image with a service's databases ends up.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The pod whose containers are its to remove.
    pub pod: &'a LeaseKey,
    /// `os/architecture`.
    pub platform: &'a str,
    /// Id of the store.
    pub store: &'a str,
    /// Name of the entry.
    pub entry: &'a str,
}

impl Docker {
    /// Sends what a scheduler lacks of an image that was made of `lower`.
    ///
    /// # Errors
    /// When it was made of another one, the engine does not give it, or the scheduler does not
    /// take it.
    pub async fn send_image(
        &self,
        image: &str,
        lower: &str,
        scheduler: &Address,
    ) -> Result<(), Error> {
        let (layers, below) = (self.layers(image).await?, self.layers(lower).await?);
        if !layers.starts_with(&below) {
            let [image, lower] = [image, lower].map(str::to_owned);
            return Err(Error::Elsewhere { image, lower });
        }
        let parts = std::iter::once(image).chain(layers.iter().map(String::as_str));
        let lacking =
            |digest: &str| Error::Lacking { image: image.to_owned(), digest: digest.to_owned() };
        let parts = parts.map(|part| part.parse().map_err(|_| lacking(part)));
        let parts: Vec<Digest> = parts.collect::<Result<_, _>>()?;
        let mut blobs = Blobs::connect(scheduler).await?;
        let missing = blobs.missing(parts).await?;
        if missing.is_empty() {
            return Ok(());
        }
        let file = self.save(image).await?;
        let path = file.path().to_owned();
        let found = tokio::task::spawn_blocking(move || of_archive(&path)).await;
        let found = found.map_err(io::Error::other)??;
        for digest in missing {
            let part = found.get(&digest).ok_or_else(|| lacking(&digest.to_string()))?;
            part.send(digest, &mut blobs).await?;
        }
        Ok(())
    }

    /// Brings an image that another agent made, and makes it one of a store here: the id of that,
    /// and how much larger it is than the one that it was made of.
    ///
    /// # Errors
    /// When it cannot be had, or the engine fails.
    pub async fn adopt_image(
        &self,
        image: &str,
        lower: &str,
        service: &str,
        place: Place<'_>,
    ) -> Result<(String, u64), Error> {
        self.have_image(image, place.platform, None).await?;
        let container = self.create_of(image, service, place).await?;
        let committed = self.commit_of(&container, service, place).await;
        self.remove_container(&container).await?;
        let made = committed?;
        // What is here has a name of its own by now.
        let fetched = format!("{FETCHED}:{}", image.trim_start_matches("sha256:"));
        let _ = self.engine.remove_image(&fetched, None::<RemoveImageOptions>, None).await;
        let began_with = self.size(lower).await.unwrap_or_default();
        let bytes = self.size(&made).await?.saturating_sub(began_with);
        Ok((made, bytes))
    }

    /// A container that never runs, so that an image can be made of it.
    async fn create_of(
        &self,
        image: &str,
        service: &str,
        place: Place<'_>,
    ) -> Result<String, Error> {
        let Place { pod, entry, .. } = place;
        let labels = [
            (label::AGENT, self.owner.agent.to_string()),
            (label::BOOT, self.owner.boot.to_string()),
            (label::RUN, pod.run.to_string()),
            (label::LEASE, pod.lease.to_string()),
            (label::ATTEMPT, pod.epoch.0.to_string()),
        ];
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            network_disabled: Some(true),
            labels: Some(labels.map(|(name, value)| (name.to_owned(), value)).into()),
            ..ContainerCreateBody::default()
        };
        let name = format!("muletrain-adopt-{entry}-{service}");
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        let call = self.engine.create_container(Some(options), body);
        Ok(within(ACT, || format!("create container {name}"), call).await?.id)
    }

    async fn commit_of(
        &self,
        container: &str,
        service: &str,
        place: Place<'_>,
    ) -> Result<String, Error> {
        let tag = format!("{}-{service}", place.entry);
        let options = CommitContainerOptionsBuilder::default()
            .container(container)
            .repo(REPOSITORY)
            .tag(&tag)
            .pause(false);
        let labels = [(label::STORE, place.store), (label::ENTRY, place.entry)];
        let labels: HashMap<String, String> =
            labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let config = ContainerConfig { labels: Some(labels), ..ContainerConfig::default() };
        let engine = self.engine.clone().with_timeout(COMMIT);
        let call = engine.commit_container(options.build(), config);
        Ok(within(COMMIT, || format!("make an image of service {service}"), call).await?.id)
    }

    async fn layers(&self, image: &str) -> Result<Vec<String>, Error> {
        let call = self.engine.inspect_image(image);
        let found = within(ASK, || format!("inspect image {image}"), call).await?;
        Ok(found.root_fs.and_then(|root| root.layers).unwrap_or_default())
    }

    /// An image in a file, as engines save it.
    async fn save(&self, image: &str) -> Result<tempfile::NamedTempFile, Error> {
        let mut file = tempfile::NamedTempFile::new()?;
        let mut full = None;
        let engine = self.engine.clone().with_timeout(LOAD);
        let call = engine.export_image(image).try_for_each(|piece| {
            let written = file.write_all(&piece);
            std::future::ready(written.map_err(|error| {
                full = Some(error);
                bollard::errors::Error::RequestTimeoutError
            }))
        });
        let saved = within(LOAD, || format!("save image {image}"), call).await;
        match full {
            Some(error) => Err(error.into()),
            None => saved.map(|()| file).map_err(Error::from),
        }
    }
}
