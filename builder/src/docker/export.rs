//! Images as the engine gives them away: an archive of all their parts.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use futures_util::TryStreamExt;
use muletrain_proto::blob::Digest;
use muletrain_proto::client::parts::{Part, of_archive};

use super::Error;
use super::engine::{Engine, WORK, within};
use crate::source;

/// Digests of the parts of an image: of its configuration, then of its layers apart from the lowest.
///
/// # Errors
/// When the engine does not have it, or does not answer.
pub async fn parts(engine: &Engine, image: Digest, left_out: usize) -> Result<Vec<Digest>, Error> {
    let name = image.to_string();
    let lost = || Error::Lost { image: name.clone() };
    let found = engine.image(&name).await?.ok_or_else(lost)?;
    let layers = found.layers.iter().map(|layer| layer.parse());
    let layers: Vec<Digest> = layers.collect::<Result<_, _>>().map_err(|_| lost())?;
    let mut parts = vec![image];
    let (lower, upper) = layers.split_at(left_out.min(layers.len()));
    for &layer in upper {
        // An image may have a layer twice, such as an empty one.
        if !parts.contains(&layer) && !lower.contains(&layer) {
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
    let found = tokio::task::spawn_blocking(move || of_archive(&archive)).await;
    found.map_err(io::Error::other).and_then(|found| found).map_err(failed)
}
