//! Compiles the schema with a compiler written in Rust, so that nobody needs `protoc`.

use std::path::PathBuf;

use prost::Message;

/// Messages whose `Debug` is written by hand, because it must not show values of secrets.
const HOLDS_SECRETS: [&str; 2] = [".muletrain.v1.RunBrief", ".muletrain.v1.SubmitRequest"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=schema");
    let descriptors = protox::compile(["muletrain.proto"], ["schema"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("muletrain_descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .btree_map(".")
        .skip_debug(HOLDS_SECRETS)
        .compile_fds(descriptors)?;
    Ok(())
}
