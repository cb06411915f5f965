//! Bringing an image to the engine as an archive without the layers that the engine has.

use std::path::Path;

use bollard::query_parameters::ImportImageOptionsBuilder;
use futures_util::TryStreamExt;
use tar::Builder;

use super::anchor::{ANCHOR, Anchor};
use super::base::Base;
use super::engine::{Engine, Image as Lower, LONG, said};
use super::{CONTENT, Error, SHORT_KEY, SNAPSHOTS};
use crate::build::{Frozen, Place};
use crate::parts;
use crate::pure::delta::Delta;
use crate::pure::image::Image;
use crate::source::Error as SourceError;
use crate::source::archive::{Contents, Owner, append_bytes};

/// Makes the image of an anchor and a delta, and returns its id; none where the engine does not
/// take archives that leave out layers, or lost the anchor meanwhile.
pub(super) async fn deliver(
    engine: &Engine,
    frozen: &Frozen,
    base: &Base,
    anchor: &Anchor,
    delta: Delta,
    content: &str,
    place: &Place<'_>,
) -> Result<Option<String>, Error> {
    let layer = layer(frozen, base, anchor, delta, place)?;
    put(engine, &anchor.image, layer, content, place).await
}

/// Makes the image of another one and a layer, as the snapshot with this content, and returns its
/// id; none where the engine does not take archives that leave out layers, or lost the other.
pub(super) async fn put(
    engine: &Engine,
    lower: &Lower,
    layer: Vec<u8>,
    content: &str,
    place: &Place<'_>,
) -> Result<Option<String>, Error> {
    let failed = |source| SourceError::Write { path: place.staging.to_owned(), source };
    let mut parts = lower.parts();
    parts.config.labels.remove(ANCHOR);
    parts.config.labels.insert(CONTENT.to_owned(), content.to_owned());
    let name = format!("{SNAPSHOTS}:{}", &content[..SHORT_KEY]);
    let image = Image::new(&parts, &layer, &name).map_err(|error| failed(error.into()))?;
    let archive = archive(&image, &layer).map_err(failed)?;
    match load(engine, archive).await {
        Ok(()) if is_there(engine, &image).await? => {
            for part in [&image.config.1, &layer] {
                parts::keep(&place.cache.parts(), part);
            }
            Ok(Some(image.id))
        }
        Ok(()) => Ok(None),
        Err(why) => {
            tracing::debug!(%why, "the engine does not take a part of an image");
            Ok(None)
        }
    }
}

/// The layer that makes the tree of the anchor.
fn layer(
    frozen: &Frozen,
    base: &Base,
    anchor: &Anchor,
    delta: Delta,
    place: &Place<'_>,
) -> Result<Vec<u8>, Error> {
    let above = anchor.holding.above.iter().map(|folder| {
        let owner = Owner { user: folder.user, group: folder.group };
        (folder.path.clone(), folder.mode, owner)
    });
    let contents = Contents {
        files: delta.files,
        gone: delta.gone,
        above: above.collect(),
        owner: base.owner,
        ..Contents::new(Path::new(base.root.trim_start_matches('/')))
    };
    let mut layer = Vec::new();
    contents.write(&frozen.source, &mut layer, place.staging)?;
    Ok(layer)
}

fn archive(image: &Image, layer: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut archive = Builder::new(Vec::new());
    append_bytes(&mut archive, Path::new(&image.config.0), &image.config.1)?;
    append_bytes(&mut archive, Path::new(&image.layer), layer)?;
    append_bytes(&mut archive, Path::new("manifest.json"), &image.manifest)?;
    archive.into_inner()
}

/// Loads an archive; the error is what the engine says.
async fn load(engine: &Engine, archive: Vec<u8>) -> Result<(), String> {
    let options = ImportImageOptionsBuilder::default().quiet(true).build();
    let body = bollard::body_full(archive.into());
    let load = engine.docker.import_image(options, body, None).try_for_each(|line| {
        let error = line.error_detail.and_then(|error| error.message);
        std::future::ready(match error {
            Some(error) => Err(bollard::errors::Error::DockerStreamError { error }),
            None => Ok(()),
        })
    });
    match tokio::time::timeout(LONG, load).await {
        Ok(result) => result.map_err(|error| said(&error)),
        Err(_) => Err(format!("it took more than {} s", LONG.as_secs())),
    }
}

/// Whether the engine has the image as it was meant.
async fn is_there(engine: &Engine, image: &Image) -> Result<bool, Error> {
    let found = engine.image(&image.id).await?;
    Ok(found.is_some_and(|found| found.id == image.id && found.layers == image.layers))
}
