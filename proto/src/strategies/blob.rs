//! Any parts of images.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::blob::{Digest, Got, Put, Request, Upload};

/// Any name of a blob.
pub(crate) fn digest() -> impl Strategy<Value = Digest> {
    vec(any::<u8>(), 0..8).prop_map(|bytes| Digest::of(&bytes))
}

/// Any part of an upload.
pub(crate) fn put() -> impl Strategy<Value = Put> {
    let start = (digest(), any::<u64>(), any::<u64>())
        .prop_map(|(digest, size, offset)| Put::Start(Upload { digest, size, offset }));
    prop_oneof![start, vec(any::<u8>(), 0..64).prop_map(Put::Piece)]
}

/// Any wish.
pub(crate) fn request() -> impl Strategy<Value = Request> {
    (digest(), any::<u64>()).prop_map(|(digest, offset)| Request { digest, offset })
}

/// Any part of a download.
pub(crate) fn got() -> impl Strategy<Value = Got> {
    prop_oneof![any::<u64>().prop_map(Got::Size), vec(any::<u8>(), 0..64).prop_map(Got::Piece)]
}
