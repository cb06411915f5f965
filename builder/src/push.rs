//! Sending a snapshot's images to a scheduler, as far as it lacks them.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::Duration;

use muletrain_proto::blob::{self, Digest, Upload};
use muletrain_proto::client::blobs::{self, Blobs};
use muletrain_proto::snapshot::{self, Snapshot};

use crate::docker::{Engine, export};
use crate::parts::{self, Part};
use crate::process::Cache;
use crate::progress::Progress;
use crate::settings;

/// Times that sending goes on after the connection broke, without anything sent in between.
const TRIES: u32 = 8;

/// Time before the first of them; it doubles each time.
const PAUSE: Duration = Duration::from_millis(200);

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
    /// A file that was just written.
    #[error("cannot read {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
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
    for image in images {
        sender.send_image(image).await?;
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
    async fn send_image(&mut self, image: Digest) -> Result<(), crate::error::Error> {
        let parts = export::parts(&self.engine, image).await?;
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
            self.send(digest, part).await?;
        }
        Ok(())
    }

    /// Sends a part, however often the connection breaks meanwhile.
    async fn send(&mut self, digest: Digest, part: &Part) -> Result<(), Error> {
        self.progress.say(&format!("sending {digest}, {} KiB", part.size.div_ceil(1024)));
        let (mut failures, mut sent) = (0, 0);
        loop {
            let error = match self.try_to_send(digest, part, &mut sent).await {
                Err(Error::Scheduler(error)) if error.is_passing() => error,
                result => return result,
            };
            // The scheduler says how much of it arrived; only then it is known to have helped.
            let before = sent;
            if let Ok(had) = self.blobs.had(digest).await {
                sent = had;
            }
            failures = if sent > before { 0 } else { failures + 1 };
            if failures == TRIES {
                return Err(error.into());
            }
            tracing::debug!(%digest, %error, "sending goes on");
            tokio::time::sleep(PAUSE * 2_u32.pow(failures.min(5))).await;
        }
    }

    async fn try_to_send(
        &mut self,
        digest: Digest,
        part: &Part,
        sent: &mut u64,
    ) -> Result<(), Error> {
        let size = part.size;
        *sent = self.blobs.had(digest).await?.min(size);
        let upload = Upload { digest, size, offset: *sent };
        let pieces = part.pieces(*sent).await;
        let pieces = pieces.map_err(|source| Error::File { path: part.path.clone(), source })?;
        Ok(self.blobs.put(upload, pieces).await?)
    }
}
