//! Snapshots as Docker images: a base with the dependencies, an anchor with all of the project on
//! it, and one layer with what has changed since.
//!
//! The base is kept by a key over everything it is made from, the snapshot by one over its
//! content; what the engine has already is not made again.

mod anchor;
mod base;
mod changes;
mod cleaning;
mod container;
mod delivery;
mod dockerfile;
mod engine;
mod error;
pub mod export;
pub mod garbage;
mod inside;
mod install;
mod prepare;
mod recipe;
pub mod registry;
mod root;
mod snapshot;

pub use engine::Engine;
pub use error::Error;

use std::collections::BTreeMap;

use muletrain_proto::blob;
use muletrain_proto::config::Runtime;
use muletrain_proto::snapshot::{Service, Snapshot};

use crate::build::{Frozen, Place, Placed};
use crate::process::Cache;
use crate::settings;

/// Characters of a digest that name an image.
const SHORT_KEY: usize = 32;

/// Label of everything that the builder makes, with its version.
const LABEL: &str = "muletrain.builder";

/// Label with the name of the project something was made for first.
const PROJECT: &str = "muletrain.project";

/// Label with the id of the base's image.
const BASE: &str = "muletrain.base-image";

/// Label with the key of what an image holds.
const CONTENT: &str = "muletrain.content";

/// Label with what is to be told of the base, each time the snapshot is used.
const NOTE: &str = "muletrain.note";

/// Label with the Python to start.
const PYTHON: &str = "muletrain.python";

/// Label with the `uid:gid` that tests run as.
const USER: &str = "muletrain.user";

/// Repository of snapshots, tagged by the keys of what they hold.
const SNAPSHOTS: &str = "muletrain-snapshot";

/// Makes a snapshot image.
///
/// # Errors
/// When the base cannot be had, a step of it fails, it has no Django, or the engine fails.
pub async fn place(
    engine: &Engine,
    frozen: &Frozen,
    place: &Place<'_>,
) -> Result<Placed, crate::error::Error> {
    cleaning::abandoned(engine).await?;
    let base = base::prepare(engine, frozen, place).await?;
    let prepare = frozen.config.image.prepare.iter().map(|step| step.run.as_str());
    let images = service_images(engine, &frozen.services).await?;
    let decisive = prepare.chain(images.values().map(String::as_str));
    let identity: Vec<&str> = base.identity().into_iter().chain(decisive).collect();
    let id = frozen.id(&identity)?;
    let made = snapshot::find_or_make(engine, frozen, &base, place).await?;
    let used = place.cache.used();
    [&base.image.id, &made.image].into_iter().for_each(|image| garbage::record_use(&used, image));
    place.progress.say(&format!("snapshot {id} is image {}", made.image));
    Ok(Placed { id, content: made.content(&base), python: base.python, images })
}

/// Whether an engine has all images of a snapshot; if so, they count as used now.
///
/// # Errors
/// When the engine does not answer.
pub async fn has(engine: &Engine, snapshot: &Snapshot, cache: &Cache) -> Result<bool, Error> {
    let images = blob::images(snapshot);
    for image in &images {
        if engine.image(&image.to_string()).await?.is_none() {
            return Ok(false);
        }
    }
    let used = cache.used();
    images.iter().for_each(|image| garbage::record_use(&used, &image.to_string()));
    Ok(true)
}

/// Ids of the images that the engine has for services, by the services' names.
async fn service_images(
    engine: &Engine,
    services: &[Service],
) -> Result<BTreeMap<String, String>, Error> {
    let mut images = BTreeMap::new();
    for service in services {
        let found = engine.image(&service.image).await?;
        images.extend(found.map(|image| (service.name.clone(), image.id)));
    }
    Ok(images)
}

/// Removes what an interrupted build has on its engine.
///
/// # Errors
/// When the engine does not answer, or does not remove it.
pub async fn clean(settings: &settings::Build) -> Result<(), Error> {
    if settings.runtime == Runtime::Process {
        return Ok(());
    }
    match Engine::connect(settings).await {
        Err(error) if error.is_absence() => Ok(()),
        Err(error) => Err(error),
        Ok(engine) => cleaning::own(&engine).await,
    }
}
