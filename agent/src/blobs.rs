//! Getting parts of images from the scheduler, over connections that break.
//!
//! What arrives is what was asked for, or an error.

use std::time::{Duration, Instant};

use muletrain_proto::blob::{Digest, Hash, Request};
use muletrain_proto::client::Address;
use muletrain_proto::client::blobs::{Blobs, Download, Error as Refused};

use crate::pure::backoff;

/// How long nothing may arrive before it is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a part of an image cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The scheduler does not have it.
    #[error(
        "the scheduler at {scheduler} does not have {digest}; submit the run again, which sends \
         what is missing"
    )]
    Absent {
        /// Which.
        digest: Digest,
        /// Who was asked.
        scheduler: Address,
    },
    /// The scheduler does not give it, or was not reached for too long.
    #[error("cannot get {digest}")]
    Scheduler {
        /// Which.
        digest: Digest,
        /// Why.
        source: Refused,
    },
    /// A connection ended as if all of it had arrived.
    #[error("the scheduler at {scheduler} ended {digest} early")]
    Early {
        /// Which.
        digest: Digest,
        /// Who ended it.
        scheduler: Address,
    },
    /// It has another size than a moment ago.
    #[error(
        "{digest} has {size} bytes and had {first} when it began to arrive; is the scheduler's \
         disk in order?"
    )]
    Resized {
        /// Which.
        digest: Digest,
        /// Bytes it had at first.
        first: u64,
        /// Bytes it has.
        size: u64,
    },
    /// Something else arrived.
    #[error("what arrived as {digest} is something else; is the scheduler's disk in order?")]
    Other {
        /// Which.
        digest: Digest,
    },
    /// It is larger than such a thing can be.
    #[error("{digest} has {size} bytes, the limit is {limit}")]
    Large {
        /// Which.
        digest: Digest,
        /// Bytes it has.
        size: u64,
        /// Bytes it may have.
        limit: u64,
    },
}

impl Error {
    /// Whether the scheduler simply does not have a part.
    #[must_use]
    pub fn is_absence_of(&self, wanted: Digest) -> bool {
        matches!(self, Self::Absent { digest, .. } if *digest == wanted)
    }

    /// Whether the scheduler simply does not have some part.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// Whether the same may work a moment later.
    fn is_passing(&self) -> bool {
        match self {
            Self::Scheduler { source, .. } => source.is_passing(),
            Self::Early { .. } => true,
            Self::Absent { .. }
            | Self::Resized { .. }
            | Self::Other { .. }
            | Self::Large { .. } => false,
        }
    }
}

/// A blob that is arriving.
#[derive(Debug)]
pub struct Arriving {
    scheduler: Address,
    digest: Digest,
    size: u64,
    received: u64,
    hash: Hash,
    download: Option<Download>,
}

impl Arriving {
    /// Begins to get a blob.
    ///
    /// # Errors
    /// When the scheduler does not have it, or is not reached for a minute.
    pub async fn open(scheduler: &Address, digest: Digest) -> Result<Self, Error> {
        let mut patience = Patience::new();
        let download = loop {
            match connect(scheduler, Request { digest, offset: 0 }).await {
                Ok(download) => break download,
                Err(error) => patience.bear(error).await?,
            }
        };
        Ok(Self {
            scheduler: scheduler.clone(),
            digest,
            size: download.size,
            received: 0,
            hash: Hash::default(),
            download: Some(download),
        })
    }

    /// All bytes it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// All of it at once.
    ///
    /// # Errors
    /// When it is larger than the limit, or does not arrive as it should.
    pub async fn whole(mut self, limit: u64) -> Result<Vec<u8>, Error> {
        let (digest, size) = (self.digest, self.size);
        if size > limit {
            return Err(Error::Large { digest, size, limit });
        }
        let mut bytes = vec![];
        while let Some(piece) = self.next().await? {
            bytes.extend(piece);
        }
        Ok(bytes)
    }

    /// What comes next of it; none at its end. After a connection broke it goes on where it was.
    ///
    /// # Errors
    /// When nothing arrives for a minute, or something else does.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let mut patience = Patience::new();
        while self.received < self.size {
            match self.piece().await {
                Ok(piece) => {
                    self.received += piece.len() as u64;
                    self.hash.update(&piece);
                    return Ok(Some(piece));
                }
                Err(error) => patience.bear(error).await?,
            }
        }
        match self.hash.clone().finish() == self.digest {
            true => Ok(None),
            false => Err(Error::Other { digest: self.digest }),
        }
    }

    /// The next piece by the connection there is, or by another one.
    async fn piece(&mut self) -> Result<Vec<u8>, Error> {
        let (digest, scheduler) = (self.digest, self.scheduler.clone());
        let mut download = match self.download.take() {
            Some(download) => download,
            None => self.reconnect().await?,
        };
        match download.piece().await.map_err(|source| refused(&scheduler, digest, source))? {
            Some(piece) => {
                self.download = Some(download);
                Ok(piece)
            }
            None => Err(Error::Early { digest, scheduler }),
        }
    }

    /// Goes on where it was, with the same blob.
    async fn reconnect(&self) -> Result<Download, Error> {
        let (digest, first) = (self.digest, self.size);
        let download = connect(&self.scheduler, Request { digest, offset: self.received }).await?;
        match download.size {
            size if size == first => Ok(download),
            size => Err(Error::Resized { digest, first, size }),
        }
    }
}

async fn connect(scheduler: &Address, request: Request) -> Result<Download, Error> {
    let begun = async { Blobs::connect(scheduler).await?.get(request).await };
    begun.await.map_err(|source| refused(scheduler, request.digest, source))
}

fn refused(scheduler: &Address, digest: Digest, source: Refused) -> Error {
    match source {
        Refused::Absent { .. } => Error::Absent { digest, scheduler: scheduler.clone() },
        source => Error::Scheduler { digest, source },
    }
}

/// How long and how often something was tried.
struct Patience {
    since: Instant,
    failures: u32,
}

impl Patience {
    fn new() -> Self {
        Self { since: Instant::now(), failures: 0 }
    }

    /// Waits before another try, where that is worth it.
    async fn bear(&mut self, error: Error) -> Result<(), Error> {
        if !error.is_passing() || self.since.elapsed() > PATIENCE {
            return Err(error);
        }
        tracing::debug!(%error, "waiting for the scheduler");
        self.failures += 1;
        tokio::time::sleep(backoff::delay(self.failures, fastrand::f64())).await;
        Ok(())
    }
}
