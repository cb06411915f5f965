//! Packs the harness into the archive that the agent sends into every pod.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=harness");
    let harness = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("harness");
    let mut sources = Vec::new();
    collect(&harness.join("muletrain_harness"), &mut sources)?;
    sources.sort();

    let package = PathBuf::from(std::env::var("OUT_DIR")?).join("harness.zip");
    let mut archive = ZipWriter::new(fs::File::create(package)?);
    // Stored, because Python's zipimport needs zlib for anything else and an image may lack it.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default());
    for source in sources {
        let name = source.strip_prefix(&harness)?.to_str().ok_or("file name is not UTF-8")?;
        archive.start_file(name.replace('\\', "/"), options)?;
        archive.write_all(&fs::read(&source)?)?;
    }
    archive.finish()?;
    Ok(())
}

fn collect(folder: &Path, sources: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "py") {
            sources.push(path);
        }
    }
    Ok(())
}
