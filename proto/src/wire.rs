//! Generated protocol buffers and gRPC services of `schema/muletrain.proto`.
//!
//! Only the edges of a binary touch these; [`crate::convert`] makes domain values of them.

#![allow(missing_docs, clippy::all, clippy::pedantic, unused_qualifications)]

tonic::include_proto!("muletrain.v1");

/// Descriptors for gRPC reflection.
pub const DESCRIPTORS: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/muletrain_descriptors.bin"));
