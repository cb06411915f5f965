//! Parts of images, and questions about them.

use super::{At, Error, all, each};
use crate::blob::{self, Digest, Got, PIECE_LIMIT, Put, QUESTION_LIMIT, Request, Upload};
use crate::wire;

impl TryFrom<wire::MissingRequest> for Vec<Digest> {
    type Error = Error;

    fn try_from(message: wire::MissingRequest) -> Result<Self, Error> {
        digests(message.digests, "digests")
    }
}

impl From<Vec<Digest>> for wire::MissingRequest {
    fn from(digests: Vec<Digest>) -> Self {
        Self { digests: all(digests) }
    }
}

impl TryFrom<wire::MissingReply> for Vec<Digest> {
    type Error = Error;

    fn try_from(message: wire::MissingReply) -> Result<Self, Error> {
        digests(message.digests, "digests")
    }
}

impl From<Vec<Digest>> for wire::MissingReply {
    fn from(digests: Vec<Digest>) -> Self {
        Self { digests: all(digests) }
    }
}

/// A field that names blobs, but not too many.
pub(super) fn digests(texts: Vec<String>, field: &str) -> Result<Vec<Digest>, Error> {
    match texts.len() {
        count if count > QUESTION_LIMIT => Err(blob::Error::Question { count }).at(field),
        _ => each(texts, field),
    }
}

impl TryFrom<wire::StatRequest> for Digest {
    type Error = Error;

    fn try_from(message: wire::StatRequest) -> Result<Self, Error> {
        message.digest.parse::<Self>().at("digest")
    }
}

impl From<Digest> for wire::StatRequest {
    fn from(digest: Digest) -> Self {
        Self { digest: digest.into() }
    }
}

impl TryFrom<wire::PutMessage> for Put {
    type Error = Error;

    fn try_from(message: wire::PutMessage) -> Result<Self, Error> {
        use wire::put_message::Message;
        match message.message.ok_or_else(Error::missing).at("message")? {
            Message::Start(start) => Ok(Self::Start(start.try_into().at("start")?)),
            Message::Piece(bytes) => Ok(Self::Piece(piece(bytes)?)),
        }
    }
}

impl From<Put> for wire::PutMessage {
    fn from(put: Put) -> Self {
        use wire::put_message::Message;
        let message = match put {
            Put::Start(upload) => Message::Start(upload.into()),
            Put::Piece(bytes) => Message::Piece(bytes),
        };
        Self { message: Some(message) }
    }
}

impl TryFrom<wire::Upload> for Upload {
    type Error = Error;

    fn try_from(message: wire::Upload) -> Result<Self, Error> {
        let digest = message.digest.parse().at("digest")?;
        Ok(Self { digest, size: message.size, offset: message.offset })
    }
}

impl From<Upload> for wire::Upload {
    fn from(upload: Upload) -> Self {
        let Upload { digest, size, offset } = upload;
        Self { digest: digest.into(), size, offset }
    }
}

impl TryFrom<wire::GetRequest> for Request {
    type Error = Error;

    fn try_from(message: wire::GetRequest) -> Result<Self, Error> {
        Ok(Self { digest: message.digest.parse().at("digest")?, offset: message.offset })
    }
}

impl From<Request> for wire::GetRequest {
    fn from(request: Request) -> Self {
        Self { digest: request.digest.into(), offset: request.offset }
    }
}

impl TryFrom<wire::GetMessage> for Got {
    type Error = Error;

    fn try_from(message: wire::GetMessage) -> Result<Self, Error> {
        use wire::get_message::Message;
        match message.message.ok_or_else(Error::missing).at("message")? {
            Message::Size(size) => Ok(Self::Size(size)),
            Message::Piece(bytes) => Ok(Self::Piece(piece(bytes)?)),
        }
    }
}

impl From<Got> for wire::GetMessage {
    fn from(got: Got) -> Self {
        use wire::get_message::Message;
        let message = match got {
            Got::Size(size) => Message::Size(size),
            Got::Piece(bytes) => Message::Piece(bytes),
        };
        Self { message: Some(message) }
    }
}

fn piece(bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
    match bytes.len() {
        bytes if bytes > PIECE_LIMIT => Err(blob::Error::Piece { bytes }).at("piece"),
        _ => Ok(bytes),
    }
}
