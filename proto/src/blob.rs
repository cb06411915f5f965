//! Parts of images, each named by the digest of its bytes.
//!
//! An image is its configuration, whose digest is the image's id, and the layers that the
//! configuration names by theirs. So the id of an image names all of it, and whoever has got the
//! parts can tell that they are the right ones.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::snapshot::{Content, Snapshot};

/// Largest piece in which a blob travels, in bytes.
pub const PIECE_LIMIT: usize = 1 << 20;

/// Most blobs that one question may name.
pub const QUESTION_LIMIT: usize = 1024;

/// Largest configuration of an image that is read, in bytes.
pub const CONFIGURATION_LIMIT: u64 = 8 << 20;

/// Most layers that an image may have; engines allow 127.
const LAYER_LIMIT: usize = 512;

/// What digests begin with.
const ALGORITHM: &str = "sha256:";

/// The SHA-256 of a blob's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// Why there is no digest, or no image.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text is no digest.
    #[error("{text:?} is no digest, which is {ALGORITHM} and 64 hexadecimal digits")]
    Digest {
        /// As given.
        text: String,
    },
    /// A message holds more than may be asked at once.
    #[error("{count} blobs are named, the limit is {QUESTION_LIMIT}")]
    Question {
        /// What it holds.
        count: usize,
    },
    /// A message holds more than may travel at once.
    #[error("{bytes} bytes are sent at once, the limit is {PIECE_LIMIT}")]
    Piece {
        /// What it holds.
        bytes: usize,
    },
    /// The configuration of an image is none.
    #[error("not the configuration of an image")]
    Configuration(#[from] serde_json::Error),
    /// It has more layers than any image can have.
    #[error("the configuration of an image names {count} layers, the limit is {LAYER_LIMIT}")]
    Layers {
        /// What it names.
        count: usize,
    },
}

impl Digest {
    /// The digest of bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hash = Hash::default();
        hash.update(bytes);
        hash.finish()
    }

    /// Its 64 digits, as they name a file.
    #[must_use]
    pub fn hexadecimal(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads what [`Self::hexadecimal`] gives.
    ///
    /// # Errors
    /// When the text is anything else.
    pub fn from_hexadecimal(text: &str) -> Result<Self, Error> {
        let refused = || Error::Digest { text: text.chars().take(100).collect() };
        let digits = text.bytes().map(digit).collect::<Option<Vec<u8>>>().ok_or_else(refused)?;
        let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        match digits.len() {
            64 => bytes.try_into().map(Self).map_err(|_| refused()),
            _ => Err(refused()),
        }
    }
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || Error::Digest { text: text.chars().take(100).collect() };
        Self::from_hexadecimal(text.strip_prefix(ALGORITHM).ok_or_else(refused)?)
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{ALGORITHM}{}", self.hexadecimal())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// A digest in the making.
#[derive(Debug, Clone, Default)]
pub struct Hash(Sha256);

impl Hash {
    /// Adds what follows.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all that was added.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// What the configuration of an image says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `os/architecture`.
    pub platform: String,
    /// Digests of its layers, the lowest first.
    pub layers: Vec<Digest>,
}

impl Image {
    /// Reads the configuration of an image.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(configuration: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Configuration {
            os: String,
            architecture: String,
            rootfs: Layers,
        }
        #[derive(Deserialize)]
        struct Layers {
            #[serde(default)]
            diff_ids: Vec<String>,
        }
        let Configuration { os, architecture, rootfs } = serde_json::from_slice(configuration)?;
        match rootfs.diff_ids.len() {
            count if count > LAYER_LIMIT => Err(Error::Layers { count }),
            _ => Ok(Self {
                platform: format!("{os}/{architecture}"),
                layers: rootfs.diff_ids.iter().map(|id| id.parse()).collect::<Result<_, _>>()?,
            }),
        }
    }
}

/// The images that pods of a snapshot are made of, by their ids.
#[must_use]
pub fn images(snapshot: &Snapshot) -> Vec<Digest> {
    let Content::Docker { image, .. } = &snapshot.content else { return vec![] };
    let services = snapshot.services.iter().filter_map(|service| service.image_id.as_ref());
    std::iter::once(image).chain(services).filter_map(|image| image.parse().ok()).collect()
}

/// What someone is about to send of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upload {
    /// Its name.
    pub digest: Digest,
    /// All bytes it has.
    pub size: u64,
    /// How many of them are not sent, because they are there already.
    pub offset: u64,
}

/// What an upload is made of: first its start, then pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// What follows.
    Start(Upload),
    /// Some of it.
    Piece(Vec<u8>),
}

/// What is wanted of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Its name.
    pub digest: Digest,
    /// How many bytes at its start are not wanted.
    pub offset: u64,
}

/// What a download is made of: first the size, then pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Got {
    /// All bytes the blob has.
    Size(u64),
    /// Some of them.
    Piece(Vec<u8>),
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_reads_as_it_is_written() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        assert_eq!(EMPTY.parse::<Digest>().unwrap(), Digest::of(b""));
    }

    #[test]
    fn nothing_else_is_a_digest() {
        let long = format!("{EMPTY}00");
        let upper = EMPTY.to_uppercase();
        let other = EMPTY.replace("sha256", "sha512");
        let path = format!("sha256:{}", "../".repeat(22).split_at(64).0);
        for text in ["", "sha256:", &EMPTY[7..], &EMPTY[..70], &long, &upper, &other, &path] {
            assert!(text.parse::<Digest>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_image_is_what_its_configuration_says() {
        let text = format!(
            r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{EMPTY}"]}}}}"#
        );
        let image = Image::read(text.as_bytes()).unwrap();
        assert_eq!(image, Image { platform: "linux/amd64".into(), layers: vec![Digest::of(b"")] });
        for text in ["", "{}", r#"{"os":"linux","architecture":"a","rootfs":{"diff_ids":["x"]}}"#] {
            assert!(Image::read(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
