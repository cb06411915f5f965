//! Images as the engine gives them away: an archive of all their parts.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::Path;

use futures_util::TryStreamExt;
use muletrain_proto::blob::{Digest, Hash};
use tar::Archive;

use super::Error;
use super::engine::{Engine, WORK, within};
use crate::parts::Part;
use crate::source;

/// Bytes read at once.
const BUFFER: usize = 128 << 10;

/// Digests of all parts of an image: of its configuration, then of its layers.
///
/// # Errors
/// When the engine does not have it, or does not answer.
pub async fn parts(engine: &Engine, image: Digest) -> Result<Vec<Digest>, Error> {
    let name = image.to_string();
    let lost = || Error::Lost { image: name.clone() };
    let found = engine.image(&name).await?.ok_or_else(lost)?;
    let layers = found.layers.iter().map(|layer| layer.parse());
    let layers: Vec<Digest> = layers.collect::<Result<_, _>>().map_err(|_| lost())?;
    let mut parts = vec![image];
    for layer in layers {
        // An image may have a layer twice, such as an empty one.
        if !parts.contains(&layer) {
            parts.push(layer);
        }
    }
    Ok(parts)
}

/// Saves an image to a file in `folder`, and finds its parts there.
///
/// # Errors
/// When the engine does not give it, or there is no room.
pub async fn save(
    engine: &Engine,
    image: Digest,
    folder: &Path,
) -> Result<BTreeMap<Digest, Part>, Error> {
    let path = folder.join("image.tar");
    let failed = |source| Error::from(source::Error::Write { path: path.clone(), source });
    let mut file = std::fs::File::create(&path).map_err(failed)?;
    let mut full = None;
    let name = image.to_string();
    let save = engine.docker.export_image(&name).try_for_each(|piece| {
        let written = file.write_all(&piece);
        std::future::ready(written.map_err(|error| {
            full = Some(error);
            bollard::errors::Error::RequestTimeoutError
        }))
    });
    let saved = within("save an image", WORK, save).await;
    if let Some(error) = full {
        return Err(failed(error));
    }
    saved?;
    let archive = path.clone();
    let found = tokio::task::spawn_blocking(move || files(&archive)).await;
    found.map_err(io::Error::other).and_then(|found| found).map_err(failed)
}

/// Every file of an archive, by its digest. What a part is called there differs from engine to
/// engine, and its digest does not.
fn files(path: &Path) -> io::Result<BTreeMap<Digest, Part>> {
    let mut archive = Archive::new(std::fs::File::open(path)?);
    let (mut found, mut buffer) = (BTreeMap::new(), vec![0; BUFFER]);
    for entry in archive.entries_with_seek()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let mut hash = Hash::default();
        loop {
            match entry.read(&mut buffer)? {
                0 => break,
                read => hash.update(buffer.get(..read).unwrap_or_default()),
            }
        }
        let (start, size) = (entry.raw_file_position(), entry.size());
        found.insert(hash.finish(), Part { path: path.to_owned(), start, size });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_by_what_they_hold() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.tar");
        let mut archive = tar::Builder::new(std::fs::File::create(&path).unwrap());
        for (name, bytes) in [("a/layer.tar", &b"layer"[..]), ("b.json", &b"{}"[..])] {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, name, bytes).unwrap();
        }
        archive.finish().unwrap();

        let found = files(&path).unwrap();
        let part = &found[&Digest::of(b"layer")];
        assert_eq!((found.len(), part.size), (2, 5));
        let bytes = std::fs::read(&path).unwrap();
        let start = usize::try_from(part.start).unwrap();
        assert_eq!(&bytes[start..start + 5], b"layer");
    }
}
