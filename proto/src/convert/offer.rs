//! Databases that agents offer one another.

use super::{At, Error, all, blob};
use crate::offer::{Offer, Seek};
use crate::wire;

impl TryFrom<wire::SeekRequest> for Seek {
    type Error = Error;

    fn try_from(message: wire::SeekRequest) -> Result<Self, Error> {
        Ok(Self {
            key: message.key.parse().at("key")?,
            snapshot: message.snapshot.try_into().at("snapshot")?,
            known: blob::digests(message.known, "known")?,
        })
    }
}

impl From<Seek> for wire::SeekRequest {
    fn from(seek: Seek) -> Self {
        let Seek { key, snapshot, known } = seek;
        Self { key: key.into(), snapshot: snapshot.into(), known: all(known) }
    }
}

impl TryFrom<wire::SeekReply> for Vec<crate::blob::Digest> {
    type Error = Error;

    fn try_from(message: wire::SeekReply) -> Result<Self, Error> {
        blob::digests(message.entries, "entries")
    }
}

impl From<Vec<crate::blob::Digest>> for wire::SeekReply {
    fn from(entries: Vec<crate::blob::Digest>) -> Self {
        Self { entries: all(entries) }
    }
}

impl TryFrom<wire::OfferRequest> for Offer {
    type Error = Error;

    fn try_from(message: wire::OfferRequest) -> Result<Self, Error> {
        Ok(Self { key: message.key.parse().at("key")?, entry: message.entry.parse().at("entry")? })
    }
}

impl From<Offer> for wire::OfferRequest {
    fn from(offer: Offer) -> Self {
        Self { key: offer.key.into(), entry: offer.entry.into() }
    }
}
