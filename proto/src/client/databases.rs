//! Databases that agents offer one another: asking a scheduler for them, and offering some.

use tonic::transport::Channel;
use tonic::{Code, Streaming};

use super::blobs::{Error, failed};
use super::{Address, connect};
use crate::blob::Digest;
use crate::offer::{Offer, Seek};
use crate::wire;
use crate::wire::databases_client::DatabasesClient;

/// The databases that a scheduler knows of.
#[derive(Debug, Clone)]
pub struct Databases {
    client: DatabasesClient<Channel>,
    address: Address,
}

/// What there is to look at.
#[derive(Debug)]
pub struct Sought {
    /// Blobs of databases that may fit, the newest first. None: it is the caller's turn to set some
    /// up, for as long as this is kept.
    pub entries: Vec<Digest>,
    _turn: Streaming<wire::SeekReply>,
}

impl Databases {
    /// Connects to a scheduler.
    ///
    /// # Errors
    /// When nobody answers there.
    pub async fn connect(address: &Address) -> Result<Self, Error> {
        let client = DatabasesClient::new(connect(address).await?);
        Ok(Self { client, address: address.clone() })
    }

    /// Asks for databases, and waits while another one sets them up for the same snapshot. None
    /// where the scheduler is one of a single machine, which knows of none.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub async fn seek(&mut self, seek: Seek) -> Result<Option<Sought>, Error> {
        let reply = match self.client.seek(wire::SeekRequest::from(seek)).await {
            Err(status) if status.code() == Code::Unimplemented => return Ok(None),
            reply => reply.map_err(|status| failed(&self.address, status))?,
        };
        let mut turn = reply.into_inner();
        let answer = turn.message().await.map_err(|status| failed(&self.address, status))?;
        let entries = Vec::try_from(answer.unwrap_or_default())
            .map_err(|source| Error::Senseless { address: self.address.clone(), source })?;
        Ok(Some(Sought { entries, _turn: turn }))
    }

    /// Offers databases, whose blob is there.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub async fn offer(&mut self, offer: Offer) -> Result<(), Error> {
        let reply = self.client.offer(wire::OfferRequest::from(offer)).await;
        reply.map(drop).map_err(|status| failed(&self.address, status))
    }
}
