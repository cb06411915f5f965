//! The project's own steps, such as `collectstatic`, run in a copy of its tree that becomes a tree
//! of the cache.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::cache::manifest_of;
use super::python::Python;
use super::{Cache, Error, step};
use crate::build::{Frozen, Place};
use crate::pure::digest::Digest;
use crate::pure::holding::Holding;
use crate::pure::tree::Manifest;

/// Finds the tree of a project as its steps leave it, or makes it, and returns its root.
pub(super) async fn prepare(
    frozen: &Frozen,
    python: &Python,
    place: &Place<'_>,
) -> Result<PathBuf, crate::error::Error> {
    let steps = &frozen.config.image.prepare;
    let set = &frozen.environment.set;
    let key = Digest::new("muletrain prepared tree 1")
        .list([&python.path, &python.version, &python.key])
        .list(steps.iter().map(|step| &step.run))
        .list(set.iter().flat_map(|(name, value)| [name, value]))
        .field(frozen.source.manifest.digest());
    let file = place.cache.prepared().join(key.finish());
    let known = fs::read(&file).ok().and_then(|bytes| Holding::parse(&bytes));
    if let Some(known) = known
        && let Some(root) = place.cache.find(&known.manifest)?
    {
        return Ok(root);
    }
    let copy = place.staging.join("prepared");
    let failed = |source| Error::Cache { path: copy.clone(), source };
    fs::create_dir(&copy).map_err(failed)?;
    frozen.source.copy_to(&copy)?;
    for step in steps {
        place.progress.say(&step.run);
        run(&step.run, &copy, frozen, python, place.staging).await?;
    }
    let manifest = manifest_of(&copy).map_err(failed)?;
    let root = place.cache.take(&copy, &manifest)?;
    keep(place.cache, &file, manifest);
    Ok(root)
}

/// Runs a step with what tests see of the environment.
async fn run(
    command: &str,
    folder: &Path,
    frozen: &Frozen,
    python: &Python,
    home: &Path,
) -> Result<(), Error> {
    let mut shell = Command::new("sh");
    shell.env_clear().env("HOME", home).env("LANG", "C.UTF-8");
    let environment = Path::new(&python.path).parent().and_then(Path::parent);
    match environment.filter(|folder| folder.join("pyvenv.cfg").is_file()) {
        Some(environment) => {
            shell.env("PATH", step::path(environment)).env("VIRTUAL_ENV", environment)
        }
        None => shell.env("PATH", std::env::var_os("PATH").unwrap_or_default()),
    };
    shell.envs(&frozen.environment.set);
    let status = step::run(&mut shell, command, folder).await?;
    match status.success() {
        true => Ok(()),
        false => Err(Error::Prepare { command: command.to_owned(), status }),
    }
}

/// Keeps what a prepared tree holds. Failing at that only makes it be prepared again.
fn keep(cache: &Cache, file: &Path, manifest: Manifest) {
    let holding = Holding { manifest, ..Holding::default() };
    let write = || {
        let mut kept = tempfile::NamedTempFile::new_in(cache.prepared())?;
        kept.write_all(&holding.write())?;
        kept.persist(file).map_err(std::io::Error::from)
    };
    if let Err(error) = write() {
        tracing::warn!(path = %file.display(), %error, "cannot keep what a prepared tree holds");
    }
}
