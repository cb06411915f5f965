//! Snapshots as Docker images: a base with the dependencies, and one layer with the project.
//!
//! The base is kept by a key over everything it is made from, the snapshot by its id; what the
//! engine has already is not made again.

mod base;
mod cleaning;
mod container;
mod dockerfile;
mod engine;
mod error;
mod install;
mod recipe;
mod snapshot;

pub use engine::Engine;
pub use error::Error;

use std::path::Path;

use muletrain_proto::config::Runtime;

use crate::build::{Frozen, Placed};
use crate::progress::Progress;
use crate::settings;

/// Characters of a digest that name an image.
const SHORT_KEY: usize = 32;

/// Label of everything that the builder makes, with its version.
const LABEL: &str = "muletrain.builder";

/// Label with the name of the project something was made for first.
const PROJECT: &str = "muletrain.project";

/// Makes a snapshot image; archives go through the folder `staging`.
///
/// # Errors
/// When the base cannot be had, a step of it fails, it has no Django, or the engine fails.
pub async fn place(
    engine: &Engine,
    frozen: &Frozen,
    staging: &Path,
    progress: &Progress,
) -> Result<Placed, crate::error::Error> {
    cleaning::abandoned(engine).await?;
    let base = base::prepare(engine, frozen, staging, progress).await?;
    let id = frozen.id(&base.identity(&frozen.config.image))?;
    let made = snapshot::find_or_make(engine, frozen, &base, &id, staging, progress).await?;
    progress.say(&format!("snapshot {id} is image {}", made.image));
    Ok(Placed { id, content: made.content(&base), python: made.python })
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
