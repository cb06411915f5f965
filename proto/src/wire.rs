//! Generated protocol buffers and gRPC services of `schema/muletrain.proto`.
//!
//! Only the edges of a binary touch these; [`crate::convert`] makes domain values of them.

#![allow(missing_docs, clippy::all, clippy::pedantic, unused_qualifications)]

tonic::include_proto!("muletrain.v1");

/// Descriptors for gRPC reflection.
pub const DESCRIPTORS: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/muletrain_descriptors.bin"));

impl std::fmt::Debug for RunBrief {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RunBrief").field("run", &self.run).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SubmitRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SubmitRequest").finish_non_exhaustive()
    }
}
