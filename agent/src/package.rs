//! The harness as the agent carries it.

/// The program that Python is started with; it reads the package from standard input.
pub const BOOTSTRAP: &str = include_str!("../harness/bootstrap.py");

/// The package, as a zip archive.
const PACKAGE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/harness.zip"));

/// What a pod gets on its standard input before any command.
#[must_use]
pub fn preamble() -> Vec<u8> {
    let mut bytes = format!("{}\n", PACKAGE.len()).into_bytes();
    bytes.extend_from_slice(PACKAGE);
    bytes
}
