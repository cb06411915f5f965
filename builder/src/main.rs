//! The `muletrain-builder` binary.
fn main() -> std::process::ExitCode {
    muletrain_builder::main()
}
