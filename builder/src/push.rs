//! Sending a snapshot's images to a scheduler, as far as it lacks them.

use std::collections::BTreeMap;
use std::io::{self, Read};

use muletrain_proto::blob::{self, Digest};
use muletrain_proto::client;
use muletrain_proto::client::blobs::{self, Blobs};
use muletrain_proto::client::parts::Part;
use muletrain_proto::snapshot::{self, Content, Snapshot};

use crate::docker::{Engine, export, registry};
use crate::parts;
use crate::process::Cache;
use crate::progress::Progress;
use crate::settings;

/// Why images are not sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Standard input ends in an error.
    #[error("cannot read a snapshot from standard input")]
    Input(#[source] io::Error),
    /// It holds something else.
    #[error("standard input must be what `muletrain-builder build` prints")]
    Snapshot(#[source] snapshot::Error),
    /// The scheduler cannot be reached, or refuses.
    #[error(transparent)]
    Scheduler(#[from] blobs::Error),
    /// The engine gives the image away in another way.
    #[error(
        "the Docker Engine saves image {image} without {digest}; engines that keep images in \
         containerd compress them: turn that off (\"features\": {{\"containerd-snapshotter\": false}})"
    )]
    Lacking {
        /// The image.
        image: Digest,
        /// What should be in it.
        digest: Digest,
    },
    /// A part is not sent.
    #[error(transparent)]
    Part(#[from] client::parts::Error),
}

/// Reads the snapshot on standard input.
///
/// # Errors
/// When there is none.
pub fn read() -> Result<Snapshot, Error> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(Error::Input)?;
    snapshot::read(&text).map_err(Error::Snapshot)
}

/// Sends what the scheduler lacks of a snapshot's images.
///
/// # Errors
/// When the engine does not have them, or the scheduler does not take them.
pub async fn push(
    settings: &settings::Push,
    snapshot: &Snapshot,
    progress: &Progress,
) -> Result<(), crate::error::Error> {
    let images = blob::images(snapshot);
    if images.is_empty() {
        progress.say("this snapshot has no images: there is nothing to send");
        return Ok(());
    }
    let cache = Cache::open(&settings.build.cache)?;
    let mut sender = Sender {
        engine: Engine::connect(&settings.build).await?,
        blobs: Blobs::connect(&settings.scheduler).await.map_err(Error::from)?,
        cache,
        progress,
    };
    let mut elsewhere = sender.layers_of_registry(snapshot).await;
    for image in images {
        // The first is the snapshot's, and only that is on its base.
        sender.send_image(image, std::mem::take(&mut elsewhere)).await?;
    }
    Ok(())
}

struct Sender<'a> {
    engine: Engine,
    blobs: Blobs,
    cache: Cache,
    progress: &'a Progress,
}

impl Sender<'_> {
    /// How many of the lowest layers of the snapshot's image agents get from a registry.
    async fn layers_of_registry(&self, snapshot: &Snapshot) -> usize {
        let Content::Docker { base: Some(base), .. } = &snapshot.content else { return 0 };
        let repository = base.reference.repository();
        match registry::has(&self.engine, &base.reference).await {
            Ok(true) => {
                self.progress.say(&format!("agents get the base from {repository}"));
                return base.layers;
            }
            Ok(false) => {
                tracing::warn!("{repository} has lost the base; the scheduler gets it instead");
            }
            Err(why) => tracing::warn!("{why}; the scheduler gets the base instead"),
        }
        0
    }

    /// Sends an image, apart from its lowest layers as far as they are elsewhere.
    async fn send_image(
        &mut self,
        image: Digest,
        elsewhere: usize,
    ) -> Result<(), crate::error::Error> {
        let parts = export::parts(&self.engine, image, elsewhere).await?;
        let count = parts.len();
        let missing = self.blobs.missing(parts).await.map_err(Error::from)?;
        if missing.is_empty() {
            self.progress.say(&format!("the scheduler has all of image {image}"));
            return Ok(());
        }
        self.progress.say(&format!(
            "the scheduler lacks {} of {count} parts of image {image}",
            missing.len()
        ));
        let folder = self.cache.parts();
        let find = |digest: &Digest| Some((*digest, parts::find(&folder, *digest)?));
        let kept: BTreeMap<Digest, Part> = missing.iter().filter_map(find).collect();
        // It goes with its files when they are sent.
        let staging = self.cache.staging()?;
        let saved = match kept.len() == missing.len() {
            true => BTreeMap::new(),
            false => {
                self.progress.say("reading the image from the Docker Engine");
                export::save(&self.engine, image, staging.path()).await?
            }
        };
        for digest in missing {
            let part = kept.get(&digest).or_else(|| saved.get(&digest));
            let part = part.ok_or(Error::Lacking { image, digest })?;
            self.progress.say(&format!("sending {digest}, {} KiB", part.size.div_ceil(1024)));
            part.send(digest, &mut self.blobs).await.map_err(Error::from)?;
        }
        Ok(())
    }
}
