//! The images that builders made on an engine: what there is, when it was used, and its removal.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use bollard::errors::Error as Refused;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions,
};

use super::engine::{Engine, MEDIUM, SHORT, within};
use super::{Error, LABEL, cleaning};
use crate::pure::collection::{Handle, Item};

/// The images of an engine.
pub struct Images {
    /// Those that builders made.
    pub items: Vec<Item>,
    /// Layers and sizes of the others.
    pub foreign: Vec<(Vec<String>, u64)>,
}

/// Lists the images of an engine; `used` is the folder where uses are recorded.
///
/// # Errors
/// When the engine does not answer.
pub async fn list(engine: &Engine, used: &Path) -> Result<Images, Error> {
    cleaning::abandoned(engine).await?;
    let options = ListContainersOptionsBuilder::default().all(true).build();
    let containers = engine.docker.list_containers(Some(options));
    let containers = within("list containers", SHORT, containers).await?;
    let in_use: HashSet<String> = containers.into_iter().filter_map(|it| it.image_id).collect();
    let options = ListImagesOptionsBuilder::default().build();
    let listed = engine.docker.list_images(Some(options));
    let mut images = Images { items: Vec::new(), foreign: Vec::new() };
    for summary in within("list images", MEDIUM, listed).await? {
        // It may have been removed since it was listed.
        let Some(image) = engine.image(&summary.id).await? else { continue };
        let size = u64::try_from(summary.size).unwrap_or_default();
        if !summary.labels.contains_key(LABEL) {
            images.foreign.push((image.layers, size));
            continue;
        }
        let created = Duration::from_secs(u64::try_from(summary.created).unwrap_or_default());
        let made = image.tagged.unwrap_or(SystemTime::UNIX_EPOCH + created);
        images.items.push(Item {
            name: names_of(summary.repo_tags).next().unwrap_or_else(|| summary.id.clone()),
            size,
            layers: image.layers,
            used: last_use(used, &summary.id).map_or(made, |used| used.max(made)),
            in_use: in_use.contains(&summary.id),
            handle: Handle::Image(summary.id),
        });
    }
    Ok(images)
}

/// Removes an image by its names; false where something uses it after all.
///
/// # Errors
/// When the engine does not answer.
pub async fn remove(engine: &Engine, id: &str, used: &Path) -> Result<bool, Error> {
    let names = HashMap::from([("label", vec![LABEL])]);
    let options = ListImagesOptionsBuilder::default().filters(&names).build();
    let listed = within("list images", SHORT, engine.docker.list_images(Some(options))).await?;
    let Some(image) = listed.into_iter().find(|image| image.id == id) else { return Ok(true) };
    // By its names and without force, so that the engine refuses where a container uses it.
    let mut names: Vec<String> =
        names_of(image.repo_tags).chain(names_of(image.repo_digests)).collect();
    if names.is_empty() {
        names.push(id.to_owned());
    }
    for name in names {
        let call = async {
            match engine.docker.remove_image(&name, None::<RemoveImageOptions>, None).await {
                Err(Refused::DockerResponseServerError { status_code: 409, .. }) => Ok(false),
                Err(Refused::DockerResponseServerError { status_code: 404, .. }) => Ok(true),
                result => result.map(|_| true),
            }
        };
        if !within("remove an image", MEDIUM, call).await? {
            return Ok(false);
        }
    }
    // That it was used says nothing any more.
    let _ = fs::remove_file(used.join(bare(id)));
    Ok(true)
}

/// The names among those listed of an image: engines list one for an image that has none.
fn names_of(listed: Vec<String>) -> impl Iterator<Item = String> {
    listed.into_iter().filter(|name| !name.starts_with("<none>"))
}

/// Records that an image is used. Failing at that only makes it seem older than it is.
pub(super) fn record_use(used: &Path, image: &str) {
    let file = fs::File::create(used.join(bare(image)));
    if let Err(error) = file.and_then(|file| file.set_modified(SystemTime::now())) {
        tracing::warn!(path = %used.display(), %error, "cannot record that an image is used");
    }
}

fn last_use(used: &Path, image: &str) -> Option<SystemTime> {
    fs::metadata(used.join(bare(image))).and_then(|metadata| metadata.modified()).ok()
}

fn bare(image: &str) -> &str {
    image.trim_start_matches("sha256:")
}
