//! Files of a pod on their way to the scheduler, and what other pods measured on its way to one.
//!
//! Nothing is held in memory but one piece: what arrives is collected in a file without a name.

use std::io::SeekFrom;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use muletrain_proto::artifact::Artifact;
use muletrain_proto::blob::{Digest, Hash, Upload};
use muletrain_proto::cli::chain;
use muletrain_proto::client::Address;
use muletrain_proto::client::blobs::{Blobs, Error as Refused};
use muletrain_proto::coverage::Part;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};

use crate::blobs::{self, Arriving};
use crate::pod::Pod;
use crate::pure::backoff;
use crate::pure::harness::{Command, Piece};

/// How long a scheduler may not take a file.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes that travel at once.
const PIECE: usize = 256 << 10;

/// Takes files of one pod to a scheduler.
#[derive(Debug)]
pub struct Outbox {
    scheduler: Address,
    open: Option<Collecting>,
}

/// A file that is arriving from the pod.
#[derive(Debug)]
struct Collecting {
    piece: Piece,
    spool: File,
    hash: Hash,
    bytes: u64,
}

/// Why a file is not kept.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("the agent has no room for it")]
    Spool(#[from] std::io::Error),
    #[error("the harness sent what is no base64")]
    Text(#[from] base64::DecodeError),
    #[error("the harness sent another file in its middle")]
    Mixed,
    #[error(transparent)]
    Scheduler(#[from] Refused),
}

impl Outbox {
    /// To a scheduler.
    #[must_use]
    pub fn new(scheduler: Address) -> Self {
        Self { scheduler, open: None }
    }

    /// Takes in a piece; with the last one of a file, what became of it.
    pub async fn take(&mut self, piece: Piece) -> Option<Artifact> {
        let last = piece.clone_without_data();
        let result = match &piece.lost {
            Some(_) => Ok(None),
            None => self.add(&piece).await,
        };
        let (digest, lost) = match result {
            Ok(None) if !piece.last => return None,
            Ok(digest) => (digest, piece.lost),
            Err(lost) => {
                self.open = None;
                (None, Some(chain(&lost)))
            }
        };
        let Piece { name, kind, size, omitted, .. } = last;
        Some(Artifact { name, kind, size, digest, omitted, lost })
    }

    /// The digest of the file, once all of it is at the scheduler.
    async fn add(&mut self, piece: &Piece) -> Result<Option<Digest>, Lost> {
        let data = STANDARD.decode(&piece.data)?;
        let mut open = match self.open.take() {
            Some(open) if open.piece.name == piece.name => open,
            Some(_) => return Err(Lost::Mixed),
            None => Collecting {
                piece: piece.clone_without_data(),
                spool: File::from_std(tempfile::tempfile()?),
                hash: Hash::default(),
                bytes: 0,
            },
        };
        open.spool.write_all(&data).await?;
        open.hash.update(&data);
        open.bytes += data.len() as u64;
        if !piece.last {
            self.open = Some(open);
            return Ok(None);
        }
        open.spool.flush().await?;
        let digest = open.hash.clone().finish();
        self.send(digest, open).await?;
        Ok(Some(digest))
    }

    async fn send(&self, digest: Digest, mut open: Collecting) -> Result<(), Lost> {
        let (since, mut failures) = (Instant::now(), 0);
        let upload = Upload { digest, size: open.bytes, offset: 0 };
        loop {
            open.spool.seek(SeekFrom::Start(0)).await?;
            let pieces = pieces(open.spool.try_clone().await?);
            let sent = async { Blobs::connect(&self.scheduler).await?.put(upload, pieces).await };
            let error = match sent.await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if !error.is_passing() || since.elapsed() > PATIENCE {
                return Err(error.into());
            }
            failures += 1;
            tokio::time::sleep(backoff::delay(failures, fastrand::f64())).await;
        }
    }
}

/// A file that cannot be read to its end is sent short, which the scheduler refuses.
fn pieces(file: File) -> impl stream::Stream<Item = Vec<u8>> + Send + 'static {
    Box::pin(stream::unfold(file, |mut file| async move {
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece).await {
            Ok(read @ 1..) => {
                piece.truncate(read);
                Some((piece, file))
            }
            Ok(0) | Err(_) => None,
        }
    }))
}

/// Sends a pod what other pods measured.
///
/// # Errors
/// When the scheduler does not have it, or is not reached.
pub async fn deliver(scheduler: &Address, parts: &[Part], pod: &Pod) -> Result<(), blobs::Error> {
    for part in parts {
        let mut arriving = Arriving::open(scheduler, part.digest).await?;
        while let Some(data) = arriving.next().await? {
            pod.deliver(&Command::Part(piece(part, &data, false))).await;
        }
        pod.deliver(&Command::Part(piece(part, &[], true))).await;
    }
    Ok(())
}

fn piece(part: &Part, data: &[u8], last: bool) -> Piece {
    Piece {
        name: part.name.clone(),
        kind: muletrain_proto::artifact::Kind::Coverage,
        size: 0,
        data: STANDARD.encode(data),
        last,
        omitted: 0,
        lost: None,
    }
}
