//! Parts of images at a scheduler: asking for them, sending and getting them.

use std::time::Duration;

use tokio_stream::{Stream, StreamExt};
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use super::{Address, connect};
use crate::blob::{Digest, Got, PIECE_LIMIT, Put, Request, Upload};
use crate::convert;
use crate::wire;
use crate::wire::blobs_client::BlobsClient;

/// Largest message accepted: a piece and what is around it, or an answer about many blobs.
const MESSAGE_LIMIT: usize = PIECE_LIMIT + (64 << 10);

/// How long a scheduler may be silent within a blob.
const SILENCE: Duration = Duration::from_secs(60);

/// Why a scheduler did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be reached.
    #[error(transparent)]
    Connect(#[from] super::Error),
    /// It does not have the blob, or keeps none at all.
    #[error("the scheduler at {address} does not have {digest}")]
    Absent {
        /// Which.
        address: Address,
        /// What was wanted.
        digest: Digest,
    },
    /// The connection broke, or it has no time.
    #[error("the connection to the scheduler at {address} broke: {}", status.message())]
    Lost {
        /// Which.
        address: Address,
        /// What the transport says.
        status: Box<Status>,
    },
    /// It says no.
    #[error("the scheduler at {address} refused: {}", status.message())]
    Refused {
        /// Which.
        address: Address,
        /// What it says.
        status: Box<Status>,
    },
    /// What it says makes no sense.
    #[error("the scheduler at {address} does not keep to the contract")]
    Senseless {
        /// Which.
        address: Address,
        /// What is wrong with it.
        source: convert::Error,
    },
}

impl Error {
    /// Whether the same may work a moment later.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::Connect(super::Error::Connect { .. }))
    }
}

/// The blobs of a scheduler.
#[derive(Debug, Clone)]
pub struct Blobs {
    client: BlobsClient<Channel>,
    address: Address,
}

impl Blobs {
    /// Connects to a scheduler.
    ///
    /// # Errors
    /// When nobody answers there.
    pub async fn connect(address: &Address) -> Result<Self, Error> {
        let client = BlobsClient::new(connect(address).await?)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        Ok(Self { client, address: address.clone() })
    }

    /// Which of these it does not have.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub async fn missing(&mut self, digests: Vec<Digest>) -> Result<Vec<Digest>, Error> {
        let reply = self.client.missing(wire::MissingRequest::from(digests)).await;
        let reply = reply.map_err(|status| self.failed(status))?;
        reply.into_inner().try_into().map_err(|error| self.senseless(error))
    }

    /// How much it has of an upload that broke off.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub async fn had(&mut self, digest: Digest) -> Result<u64, Error> {
        let reply = self.client.stat(wire::StatRequest::from(digest)).await;
        Ok(reply.map_err(|status| self.failed(status))?.into_inner().bytes)
    }

    /// Sends a blob, or what of it is not there. Where somebody else sends it meanwhile, waits for
    /// that instead.
    ///
    /// # Errors
    /// When the connection breaks, or the scheduler has no room or finds something else.
    pub async fn put(
        &mut self,
        upload: Upload,
        pieces: impl Stream<Item = Vec<u8>> + Send + 'static,
    ) -> Result<(), Error> {
        let start = tokio_stream::once(Put::Start(upload));
        let messages = start.chain(pieces.map(Put::Piece)).map(wire::PutMessage::from);
        let reply = self.client.put(messages).await;
        reply.map(drop).map_err(|status| self.failed(status))
    }

    /// Begins to get a blob.
    ///
    /// # Errors
    /// When it is not there, or the scheduler does not answer.
    pub async fn get(&mut self, request: Request) -> Result<Download, Error> {
        let reply = self.client.get(wire::GetRequest::from(request)).await;
        let messages = reply.map_err(|status| match status.code() {
            // A scheduler of one machine keeps no blobs, so it does not even know the question.
            Code::NotFound | Code::Unimplemented => {
                Error::Absent { address: self.address.clone(), digest: request.digest }
            }
            _ => self.failed(status),
        })?;
        let messages = messages.into_inner();
        let mut download = Download { blobs: self.clone(), messages, size: 0, left: 0 };
        match download.next().await? {
            Some(Got::Size(size)) => {
                Ok(Download { size, left: size.saturating_sub(request.offset), ..download })
            }
            _ => Err(self.senseless(convert::Error::Missing { path: "size".to_owned() })),
        }
    }

    fn failed(&self, status: Status) -> Error {
        failed(&self.address, status)
    }

    fn senseless(&self, source: convert::Error) -> Error {
        Error::Senseless { address: self.address.clone(), source }
    }
}

/// What a scheduler's answer means that is none.
pub(super) fn failed(address: &Address, status: Status) -> Error {
    let (address, status) = (address.clone(), Box::new(status));
    match status.code() {
        Code::Unavailable
        | Code::Aborted
        | Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Unknown => Error::Lost { address, status },
        _ => Error::Refused { address, status },
    }
}

/// A blob that is arriving.
#[derive(Debug)]
pub struct Download {
    /// All bytes it has.
    pub size: u64,
    left: u64,
    blobs: Blobs,
    messages: Streaming<wire::GetMessage>,
}

impl Download {
    /// The next piece; none at the end.
    ///
    /// # Errors
    /// When the connection breaks, or ends too early or too late.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match self.next().await? {
            Some(Got::Piece(bytes)) => match self.left.checked_sub(bytes.len() as u64) {
                Some(left) => {
                    self.left = left;
                    Ok(Some(bytes))
                }
                None => Err(self.blobs.failed(Status::data_loss("more came than there is"))),
            },
            Some(Got::Size(_)) => {
                Err(self.blobs.senseless(convert::Error::Missing { path: "piece".to_owned() }))
            }
            None if self.left > 0 => Err(self.blobs.failed(Status::aborted("it ended early"))),
            None => Ok(None),
        }
    }

    async fn next(&mut self) -> Result<Option<Got>, Error> {
        let message = match tokio::time::timeout(SILENCE, self.messages.message()).await {
            Ok(message) => message.map_err(|status| self.blobs.failed(status))?,
            Err(_) => return Err(self.blobs.failed(Status::deadline_exceeded("it is silent"))),
        };
        message.map(Got::try_from).transpose().map_err(|error| self.blobs.senseless(error))
    }
}
