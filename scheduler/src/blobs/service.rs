//! The gRPC service of blobs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use muletrain_proto::blob::{Digest, Got, Hash, PIECE_LIMIT, Put, Request as Wanted, Upload};
use muletrain_proto::wire;
use muletrain_proto::wire::blobs_server::{Blobs, BlobsServer};
use tokio::runtime::Handle as RuntimeHandle;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::spawn_blocking;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{Error, Offers, Receiving, Store, databases};
use crate::handle::Handle;

/// Largest message accepted: a piece and what is around it.
const MESSAGE_LIMIT: usize = PIECE_LIMIT + (64 << 10);

/// How long whoever sends a blob may be silent, and whoever gets one may take nothing of it: others
/// wait for their turn.
const SILENCE: Duration = Duration::from_secs(60);

/// Bytes of a piece that is sent.
const PIECE: usize = 256 << 10;

/// Pieces read ahead of whoever gets a blob.
const READ_AHEAD: usize = 4;

/// Blobs that are sent at once: each holds a thread. Others wait for their turn.
const SENDS: usize = 64;

/// Blobs for whoever asks.
#[derive(Clone)]
pub struct Service {
    store: Arc<Store>,
    handle: Handle,
    sends: Arc<Semaphore>,
    patience: Duration,
}

impl Service {
    /// A service of a store; what the runs of this engine need stays in it.
    #[must_use]
    pub fn new(store: Store, handle: Handle) -> Self {
        let sends = Arc::new(Semaphore::new(SENDS));
        Self { store: Arc::new(store), handle, sends, patience: SILENCE }
    }

    /// The same, and whoever gets a blob may take so long to take a piece of it.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The service, ready to be given to a server.
    #[must_use]
    pub fn server(self) -> BlobsServer<Self> {
        BlobsServer::new(self)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT)
    }

    /// The service of databases that are among the blobs.
    #[must_use]
    pub fn databases(&self) -> databases::Service {
        let offers = Offers::new(self.store.beside("offers"));
        databases::Service::new(self.store.clone(), Arc::new(offers))
    }

    /// What the images of runs are made of that are not over.
    async fn needed(&self) -> BTreeSet<Digest> {
        let images = self.handle.images().await;
        images.into_iter().flat_map(|image| self.store.parts(image)).collect()
    }

    /// Waits for the turn to take a blob in; none when it is there by then.
    async fn begin(&self, upload: Upload) -> Result<Option<Receiving>, Status> {
        let turn = self.store.turn(upload.digest).await;
        let (store, needed) = (self.store.clone(), self.needed().await);
        blocking(move || store.begin(turn, upload, &needed)).await
    }
}

#[tonic::async_trait]
impl Blobs for Service {
    type GetStream = Pin<Box<dyn Stream<Item = Result<wire::GetMessage, Status>> + Send>>;

    async fn missing(
        &self,
        request: Request<wire::MissingRequest>,
    ) -> Result<Response<wire::MissingReply>, Status> {
        let digests: Vec<Digest> = request.into_inner().try_into()?;
        Ok(Response::new(self.store.missing(&digests).into()))
    }

    async fn stat(
        &self,
        request: Request<wire::StatRequest>,
    ) -> Result<Response<wire::StatReply>, Status> {
        let digest = Digest::try_from(request.into_inner())?;
        Ok(Response::new(wire::StatReply { bytes: self.store.had(&digest) }))
    }

    async fn put(
        &self,
        request: Request<Streaming<wire::PutMessage>>,
    ) -> Result<Response<wire::PutReply>, Status> {
        let mut inbound = request.into_inner();
        let Some(Put::Start(upload)) = next(&mut inbound).await? else {
            return Err(Status::invalid_argument("an upload begins with what it is of"));
        };
        let Some(mut receiving) = self.begin(upload).await? else {
            return Ok(Response::new(wire::PutReply {}));
        };
        while let Some(message) = next(&mut inbound).await? {
            let Put::Piece(piece) = message else {
                return Err(Status::invalid_argument("an upload is of one blob"));
            };
            // It goes along, so that nobody has the turn while a write is under way.
            receiving = blocking(move || receiving.write(&piece).map(|()| receiving)).await?;
        }
        blocking(move || receiving.finish()).await?;
        let Upload { digest, size, offset } = upload;
        tracing::info!(%digest, size, bytes = size - offset, "a blob arrived");
        Ok(Response::new(wire::PutReply {}))
    }

    async fn get(
        &self,
        request: Request<wire::GetRequest>,
    ) -> Result<Response<Self::GetStream>, Status> {
        let wanted = Wanted::try_from(request.into_inner())?;
        let turn = self.sends.clone().acquire_owned().await;
        let turn = turn.map_err(|error| Status::internal(error.to_string()))?;
        let store = self.store.clone();
        let found = blocking(move || store.read(wanted)).await?;
        let (size, file) = found.ok_or_else(|| absent(&wanted.digest))?;
        let (sender, messages) = mpsc::channel(READ_AHEAD);
        let (store, patience) = (self.store.clone(), self.patience);
        let say = Say { runtime: RuntimeHandle::current(), sender, patience };
        spawn_blocking(move || {
            if let Err(status) = send(&store, wanted, size, file, &say) {
                say.now(Err(status));
            }
            drop(turn);
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }
}

async fn next(inbound: &mut Streaming<wire::PutMessage>) -> Result<Option<Put>, Status> {
    match tokio::time::timeout(SILENCE, inbound.message()).await {
        Ok(message) => Ok(message?.map(Put::try_from).transpose()?),
        Err(_) => Err(Status::deadline_exceeded("nothing was sent for a minute")),
    }
}

/// What is said to whoever gets a blob, as they take it.
struct Say {
    runtime: RuntimeHandle,
    sender: mpsc::Sender<Result<wire::GetMessage, Status>>,
    patience: Duration,
}

impl Say {
    /// Whether it was taken in time; who asked may have gone.
    fn now(&self, message: Result<wire::GetMessage, Status>) -> bool {
        let sent = self.sender.send_timeout(message, self.patience);
        self.runtime.block_on(sent).is_ok()
    }
}

/// Sends a blob from an offset on, and sees that a whole one is what it is called: disks err.
fn send(store: &Store, wanted: Wanted, size: u64, mut file: File, say: &Say) -> Result<(), Status> {
    let say = |got: Got| say.now(Ok(got.into()));
    let mut hash = Hash::default();
    let mut going = say(Got::Size(size));
    while going {
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).map_err(|error| Status::internal(error.to_string()))?;
        if read == 0 {
            break;
        }
        piece.truncate(read);
        hash.update(&piece);
        going = say(Got::Piece(piece));
    }
    if going && wanted.offset == 0 && hash.finish() != wanted.digest {
        store.discard(&wanted.digest);
        return Err(absent(&wanted.digest));
    }
    tracing::debug!(digest = %wanted.digest, bytes = size.saturating_sub(wanted.offset), "sent");
    Ok(())
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Status> {
    match spawn_blocking(work).await {
        Ok(done) => done.map_err(refuse),
        Err(error) => Err(Status::internal(error.to_string())),
    }
}

fn absent(digest: &Digest) -> Status {
    Status::not_found(format!("there is no {digest} here"))
}

fn refuse(error: Error) -> Status {
    let text = muletrain_proto::cli::chain(&error);
    match error {
        // What follows is to be sent again, from where it is wanted.
        Error::Offset { .. } | Error::Short { .. } => Status::aborted(text),
        Error::Long { .. } | Error::Other { .. } => Status::invalid_argument(text),
        Error::Full { .. } => Status::resource_exhausted(text),
        Error::Disk { source, .. } if source.kind() == ErrorKind::StorageFull => {
            Status::resource_exhausted(text)
        }
        Error::Disk { .. } => Status::internal(text),
    }
}
