//! Parts of images on their way from builders to agents: kept on the scheduler's disk by their
//! digests, as many bytes of them as it may have.
//!
//! [`Store`] owns the folder, [`index`] knows what is in it, [`Receiving`] is one upload, and
//! [`service`] speaks gRPC. [`Offers`] says which of them are databases that agents have set up and
//! others may use; [`databases`] speaks of those.

mod databases;
mod index;
mod offers;
mod receiving;
mod service;
mod store;
mod turns;

pub use databases::Service as Databases;
pub use offers::Offers;
pub use receiving::Receiving;
pub use service::Service;
pub use store::Store;
pub use turns::{Turn, Turns};

use std::io;
use std::path::PathBuf;

use muletrain_proto::blob::Digest;

/// Why a blob is not kept, or not given.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A part of it is said to be there that is not.
    #[error("{had} bytes of {digest} are here; send what follows them")]
    Offset {
        /// Which.
        digest: Digest,
        /// What is there.
        had: u64,
    },
    /// More was sent than it is said to have.
    #[error("{digest} is said to have {size} bytes, and more were sent")]
    Long {
        /// Which.
        digest: Digest,
        /// What was said.
        size: u64,
    },
    /// The upload ended too early.
    #[error("{had} of {size} bytes of {digest} were sent; send the rest")]
    Short {
        /// Which.
        digest: Digest,
        /// What is there.
        had: u64,
        /// What was said.
        size: u64,
    },
    /// What was sent is something else.
    #[error("what was sent as {digest} is {found} and thrown away; send it again")]
    Other {
        /// What was said.
        digest: Digest,
        /// What was sent.
        found: Digest,
    },
    /// There is no room, and none can be made.
    #[error(
        "there is no room for {size} bytes: {limit} may be kept in all, and what is there is needed \
         or was used minutes ago; give `muletrain-scheduler serve` more with --keep-blobs"
    )]
    Full {
        /// What is wanted.
        size: u64,
        /// What there is in all.
        limit: u64,
    },
    /// A file.
    #[error("cannot keep blobs in {}", path.display())]
    Disk {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
