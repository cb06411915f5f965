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
        let mut arriving = Self {
            scheduler: scheduler.clone(),
            digest,
            size: 0,
            received: 0,
            hash: Hash::default(),
            download: None,
        };
        let mut patience = Patience::new();
        while arriving.download.is_none() {
            if let Err(source) = arriving.connect().await {
                arriving.bear(&mut patience, source).await?;
            }
        }
        Ok(arriving)
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
                Err(source) => self.bear(&mut patience, source).await?,
            }
        }
        match self.hash.clone().finish() == self.digest {
            true => Ok(None),
            false => Err(Error::Other { digest: self.digest }),
        }
    }

    /// The next piece by the connection there is, or by another one.
    async fn piece(&mut self) -> Result<Vec<u8>, Refused> {
        loop {
            let Some(mut download) = self.download.take() else {
                self.connect().await?;
                continue;
            };
            if let Some(piece) = download.piece().await? {
                self.download = Some(download);
                return Ok(piece);
            }
        }
    }

    async fn connect(&mut self) -> Result<(), Refused> {
        let request = Request { digest: self.digest, offset: self.received };
        let download = Blobs::connect(&self.scheduler).await?.get(request).await?;
        self.size = download.size;
        self.download = Some(download);
        Ok(())
    }

    /// Waits before another try, where that is worth it.
    async fn bear(&self, patience: &mut Patience, source: Refused) -> Result<(), Error> {
        let digest = self.digest;
        if matches!(source, Refused::Absent { .. }) {
            return Err(Error::Absent { digest, scheduler: self.scheduler.clone() });
        }
        if !source.is_passing() || patience.since.elapsed() > PATIENCE {
            return Err(Error::Scheduler { digest, source });
        }
        tracing::debug!(digest = %self.digest, error = %source, "waiting for the scheduler");
        patience.failures += 1;
        tokio::time::sleep(backoff::delay(patience.failures, fastrand::f64())).await;
        Ok(())
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
}
