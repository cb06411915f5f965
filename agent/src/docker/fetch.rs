//! Images that the engine lacks: from the scheduler, without the layers that the engine has.
//!
//! Nothing is kept on this host meanwhile: what arrives goes straight to the engine, as an archive
//! in the making.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::query_parameters::{ImportImageOptionsBuilder, ListImagesOptionsBuilder};
use bytes::Bytes;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use muletrain_proto::blob::{self, CONFIGURATION_LIMIT, Digest};
use muletrain_proto::client::Address;
use muletrain_proto::snapshot::Base;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::error::{self, within};
use super::{ASK, registry};
use crate::blobs::{self, Arriving};
use crate::pure::image;

/// Repository of what is fetched: an image without a name cannot be removed like others, and any
/// `docker image prune` takes it.
pub(super) const REPOSITORY: &str = "muletrain-fetched";

/// How long an engine may take to unpack an image, and the image to arrive.
pub(super) const LOAD: Duration = Duration::from_secs(3600);

/// Pieces read ahead of the engine.
const READ_AHEAD: usize = 4;

/// Images that are looked at for layers, the newest first.
const LOOKED_AT: usize = 500;

/// Questions to the engine at once.
const AT_ONCE: usize = 8;

/// Bytes that everything in an archive is padded to.
const BLOCK: u64 = 512;

/// Why an image could not be brought to the engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A part of it cannot be had.
    #[error(transparent)]
    Blobs(#[from] blobs::Error),
    /// The registry that should have its lower part does not give it, and nobody else does.
    #[error(
        "{registry}, and the scheduler does not have that part either; let this engine reach the \
         registry, or submit the run without [image] registry"
    )]
    Registry {
        /// Why the registry does not.
        registry: registry::Error,
        /// What the scheduler says.
        source: blobs::Error,
    },
    /// What arrived is no image.
    #[error(transparent)]
    Image(#[from] blob::Error),
    /// The engine does not answer.
    #[error(transparent)]
    Engine(#[from] Box<error::Error>),
    /// The engine does not take it.
    #[error("the engine does not load it: {why}")]
    Load {
        /// What it says.
        why: String,
    },
    /// The engine took it, and it is not there.
    #[error(
        "the engine loaded it and has no image of that id; engines that keep images in containerd \
         name them otherwise: turn that off (\"features\": {{\"containerd-snapshotter\": false}})"
    )]
    Absent,
}

impl Error {
    /// Whether the scheduler has nothing of an image.
    pub(super) fn is_absence_of(&self, image: Digest) -> bool {
        matches!(self, Self::Blobs(error) if error.is_absence_of(image))
    }
}

type Flight = BoxFuture<'static, Result<(), Arc<Error>>>;

/// Brings images from a scheduler to an engine, each of them once however many ask.
pub(super) struct Fetch {
    engine: Docker,
    scheduler: Address,
    flights: Mutex<HashMap<Digest, WeakShared<Flight>>>,
}

impl std::fmt::Debug for Fetch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Fetch").field("scheduler", &self.scheduler).finish_non_exhaustive()
    }
}

impl Fetch {
    pub(super) fn new(engine: &Docker, scheduler: Address) -> Self {
        let engine = engine.clone().with_timeout(LOAD);
        Self { engine, scheduler, flights: Mutex::default() }
    }

    /// Brings an image, or waits for whoever is bringing it.
    ///
    /// It goes on for as long as anybody waits for it, and what fails fails for all of them. Its
    /// base comes from a registry, where one has that.
    pub(super) async fn image(&self, image: Digest, base: Option<&Base>) -> Result<(), Arc<Error>> {
        self.flight(image, base).await
    }

    fn flight(&self, image: Digest, base: Option<&Base>) -> Shared<Flight> {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.retain(|_, flight| flight.upgrade().is_some());
        if let Some(flight) = flights.get(&image).and_then(WeakShared::upgrade) {
            return flight;
        }
        let (engine, scheduler) = (self.engine.clone(), self.scheduler.clone());
        let base = base.cloned();
        let work = async move {
            let begun = Instant::now();
            let fetched = fetch(&engine, &scheduler, image, base.as_ref()).await;
            let seconds = begun.elapsed().as_secs_f64();
            tracing::info!(%image, seconds, ok = fetched.is_ok(), "fetched an image");
            fetched.map_err(Arc::new)
        };
        let flight = work.boxed().shared();
        flights.extend(flight.downgrade().map(|weak| (image, weak)));
        flight
    }
}

async fn fetch(
    engine: &Docker,
    scheduler: &Address,
    image: Digest,
    base: Option<&Base>,
) -> Result<(), Error> {
    // Whoever saw that it is not there may come when somebody else has just brought it.
    if is_there(engine, image).await? {
        return Ok(());
    }
    let configuration = Arriving::open(scheduler, image).await?.whole(CONFIGURATION_LIMIT).await?;
    let layers = blob::Image::read(&configuration)?.layers;
    let mut had = held(engine, &layers).await?;
    tracing::info!(%image, layers = layers.len(), had, "fetching an image");
    let mut refused = None;
    if let Some(base) = base.filter(|base| had < base.layers) {
        match registry::pull(engine, base).await {
            Ok(()) => {
                tracing::info!(%image, reference = %base.reference, "pulled the base of an image");
                had = held(engine, &layers).await?;
            }
            Err(why) => {
                tracing::warn!(%image, %why, "the scheduler is asked for what the registry lacks");
                refused = Some(why);
            }
        }
    }
    let archive = Archive { scheduler, image, configuration: &configuration, layers: &layers };
    let brought = bring_as_taken(engine, &archive, had).await;
    brought.map_err(|error| match (error, refused) {
        (Error::Blobs(source), Some(registry)) if source.is_absence() => {
            Error::Registry { registry, source }
        }
        (error, _) => error,
    })
}

/// Brings an image without the lowest layers; with all of them where the engine likes that better.
async fn bring_as_taken(engine: &Docker, archive: &Archive<'_>, had: usize) -> Result<(), Error> {
    let image = archive.image;
    if had > 0 {
        match bring(engine, archive, had).await {
            Ok(()) if is_there(engine, image).await? => return Ok(()),
            Err(error @ Error::Blobs(_)) => return Err(error),
            Ok(()) => {}
            Err(why) => tracing::info!(%image, %why, "sending the engine all of the image"),
        }
    }
    bring(engine, archive, 0).await?;
    match is_there(engine, image).await? {
        true => Ok(()),
        false => Err(Error::Absent),
    }
}

/// How many of these layers, from the lowest on, the engine has in some image.
async fn held(engine: &Docker, layers: &[Digest]) -> Result<usize, Error> {
    let options = ListImagesOptionsBuilder::default().build();
    let what = || "list images".to_owned();
    let list = within(ASK, what, engine.list_images(Some(options))).await.map_err(Box::new)?;
    let mut images: Vec<(i64, String)> =
        list.into_iter().map(|image| (image.created, image.id)).collect();
    images.sort_unstable_by(|one, other| other.cmp(one));
    let ids = images.into_iter().take(LOOKED_AT).map(|(_, id)| id);
    let mut found = futures_util::stream::iter(ids)
        .map(|id| async move { layers_of(engine, &id).await })
        .buffered(AT_ONCE);
    let mut most = 0;
    while let Some(other) = found.next().await {
        most = most.max(image::shared(layers, &other));
        // One layer is always its own.
        if most + 1 >= layers.len() {
            break;
        }
    }
    Ok(most)
}

/// Layers of an image; none where it has gone since it was listed.
async fn layers_of(engine: &Docker, image: &str) -> Vec<String> {
    let inspected = within(ASK, || format!("inspect image {image}"), engine.inspect_image(image));
    let root = inspected.await.ok().and_then(|image| image.root_fs);
    root.and_then(|root| root.layers).unwrap_or_default()
}

async fn is_there(engine: &Docker, image: Digest) -> Result<bool, Error> {
    let image = image.to_string();
    match within(ASK, || format!("inspect image {image}"), engine.inspect_image(&image)).await {
        Ok(found) => Ok(found.id == Some(image)),
        Err(error) if error.status() == Some(404) => Ok(false),
        Err(error) => Err(Box::new(error).into()),
    }
}

/// Loads an archive that leaves out the lowest layers.
async fn bring(engine: &Docker, archive: &Archive<'_>, left_out: usize) -> Result<(), Error> {
    let (sender, pieces) = mpsc::channel(READ_AHEAD);
    let (written, loaded) =
        tokio::join!(archive.write(left_out, sender), load(engine, ReceiverStream::new(pieces)));
    // What broke off is why the engine did not like it.
    written?;
    loaded
}

async fn load(engine: &Docker, pieces: ReceiverStream<io::Result<Bytes>>) -> Result<(), Error> {
    let options = ImportImageOptionsBuilder::default().quiet(true).build();
    let body = bollard::body_try_stream(pieces);
    let lines = engine.import_image(options, body, None).try_for_each(|_| async { Ok(()) });
    match tokio::time::timeout(LOAD, lines).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Error::Load { why: error.to_string() }),
        Err(_) => Err(Error::Load { why: format!("it took more than {} s", LOAD.as_secs()) }),
    }
}

/// An image as engines save and load it.
struct Archive<'a> {
    scheduler: &'a Address,
    image: Digest,
    configuration: &'a [u8],
    layers: &'a [Digest],
}

type Pieces = mpsc::Sender<io::Result<Bytes>>;

impl Archive<'_> {
    /// Writes it, getting layers as it comes to them.
    async fn write(&self, left_out: usize, pieces: Pieces) -> Result<(), blobs::Error> {
        let result = self.write_members(left_out, &pieces).await;
        if let Err(error) = &result {
            // The engine has to notice that this is not its end.
            let _ = pieces.send(Err(io::Error::other(error.to_string()))).await;
        }
        result
    }

    async fn write_members(&self, left_out: usize, pieces: &Pieces) -> Result<(), blobs::Error> {
        let configuration = format!("{}.json", self.image.hexadecimal());
        let names: Vec<String> = self.layers.iter().map(file_name).collect();
        let tag = format!("{REPOSITORY}:{}", self.image.hexadecimal());
        let manifest =
            json!([{ "Config": configuration, "RepoTags": [tag], "Layers": names }]).to_string();
        for (name, bytes) in
            [(configuration.as_str(), self.configuration), ("manifest.json", manifest.as_bytes())]
        {
            let member = [&header(name, bytes.len() as u64), bytes, &padding(bytes.len() as u64)];
            say(pieces, member.concat()).await;
        }
        let mut sent = vec![];
        for layer in self.layers.iter().skip(left_out) {
            // An image may have a layer twice, such as an empty one.
            if !sent.contains(layer) && !pieces.is_closed() {
                self.write_layer(*layer, pieces).await?;
                sent.push(*layer);
            }
        }
        say(pieces, vec![0; 1024]).await;
        Ok(())
    }

    async fn write_layer(&self, layer: Digest, pieces: &Pieces) -> Result<(), blobs::Error> {
        let mut arriving = Arriving::open(self.scheduler, layer).await?;
        say(pieces, header(&file_name(&layer), arriving.size())).await;
        while let Some(piece) = arriving.next().await? {
            if !say(pieces, piece).await {
                return Ok(());
            }
        }
        say(pieces, padding(arriving.size())).await;
        Ok(())
    }
}

/// Whether the engine still listens. One that does not says why in its answer.
async fn say(pieces: &Pieces, bytes: Vec<u8>) -> bool {
    pieces.send(Ok(bytes.into())).await.is_ok()
}

fn file_name(layer: &Digest) -> String {
    format!("{}/layer.tar", layer.hexadecimal())
}

/// What stands before a file in an archive.
fn header(name: &str, size: u64) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    // All names here are short.
    let _ = header.set_path(name);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    header.as_bytes().to_vec()
}

fn padding(size: u64) -> Vec<u8> {
    let rest = size % BLOCK;
    vec![0; usize::try_from((BLOCK - rest) % BLOCK).unwrap_or_default()]
}
