//! The base of a snapshot: an image with the project's dependencies.

use muletrain_proto::config::Image as Configured;
use muletrain_proto::registry::Reference;

use super::engine::{Engine, Image};
use super::{Error, dockerfile, install, root};
use crate::build::{Frozen, Place};
use crate::progress::Progress;
use crate::pure::dependencies::{self, Recipe};
use crate::pure::python_version;
use crate::pure::suites;
use crate::source::archive::Owner;

/// Image that is taken where the project says nothing of the Python it wants.
const DEFAULT_PYTHON: &str = "3.12";

/// An image with the project's dependencies, and what was found out about it.
#[derive(Debug)]
pub(super) struct Base {
    /// The image.
    pub image: Image,
    /// Where the project goes in it, no part of which is a link.
    pub root: String,
    /// Who tests run as, as named by the configuration or the image.
    pub user: String,
    /// That user's ids.
    pub owner: Owner,
    /// The Python to start.
    pub python: String,
    /// Where others get the image.
    pub shared: Option<Reference>,
}

/// What is to become a base.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// The image to start from.
    pub image: &'a Image,
    /// Commands that install.
    pub commands: &'a [String],
    /// Where the project will go.
    pub place: &'a root::Place,
    /// Who tests run as.
    pub user: &'a str,
    /// The Python that the configuration names.
    pub python: Option<&'a str>,
    /// What that has to be able to import.
    pub imports: String,
}

impl Base {
    /// What of the base decides how tests behave.
    pub(super) fn identity(&self) -> [&str; 4] {
        ["docker", &self.image.id, &self.root, &self.user]
    }

    /// `uid:gid` of the user that tests run as.
    pub(super) fn ids(&self) -> String {
        format!("{}:{}", self.owner.user, self.owner.group)
    }
}

/// Finds or makes the base of a project.
pub(super) async fn prepare(
    engine: &Engine,
    frozen: &Frozen,
    place: &Place<'_>,
) -> Result<Base, Error> {
    let configured = &frozen.config.image;
    let progress = place.progress;
    let (image, commands) = match (&configured.dockerfile, &configured.base) {
        (Some(path), _) => {
            (dockerfile::build(engine, frozen, path, place).await?, configured.install.clone())
        }
        (None, Some(name)) => {
            (engine.image_or_pull(name, progress).await?, configured.install.clone())
        }
        (None, None) => {
            let (name, commands) = work_out(frozen, progress)?;
            (engine.image_or_pull(&name, progress).await?, commands)
        }
    };
    let said = root::Place::said(configured, &image);
    // Before anything is installed in vain, and again for what links lead to.
    said.check(&image, &frozen.source.manifest)?;
    let user = user(configured, &image);
    let wanted = Wanted {
        image: &image,
        commands: &commands,
        place: &said,
        user: &user,
        python: frozen.config.project.python.as_deref(),
        imports: suites::imports(&frozen.suites),
    };
    let installed = install::install(engine, frozen, &wanted, place).await?;
    let install::Installed { image, owner, python, place: real, shared } = installed;
    real.check(&image, &frozen.source.manifest)?;
    Ok(Base { image, root: real.root, user, owner, python, shared })
}

/// Chooses an image and commands for a project that configures neither, and says why.
fn work_out(frozen: &Frozen, progress: &Progress) -> Result<(String, Vec<String>), Error> {
    let texts = frozen.source.texts(dependencies::SPEAKING)?;
    let configured = frozen.config.project.python.as_deref().and_then(python_version::pinned);
    let (version, why) = match (configured, dependencies::python(&texts)) {
        (Some(version), _) => (version, "[project] python".to_owned()),
        (None, Some((version, file))) => (version, file.to_owned()),
        (None, None) => (DEFAULT_PYTHON.to_owned(), "nothing else is said".to_owned()),
    };
    let image = format!("python:{version}-slim");
    progress.note(format!("no [image] is configured: the base is {image} ({why})"));
    if !frozen.config.image.install.is_empty() {
        return Ok((image, frozen.config.image.install.clone()));
    }
    let Recipe { commands, reason } = dependencies::recipe(frozen.source.manifest.texts(), &texts);
    match reason {
        Some(reason) => {
            progress.note(format!("dependencies come from {reason}: {}", commands.join(", ")));
        }
        None => progress.note("the project has no lock or requirements file: nothing is installed"),
    }
    Ok((image, commands))
}

/// The configured user, else the image's if that is not root, else the first ordinary one.
fn user(configured: &Configured, image: &Image) -> String {
    let own = image.config.user.as_deref().filter(|user| {
        let name = user.split(':').next().unwrap_or_default();
        !name.is_empty() && name != "root" && name.parse() != Ok(0)
    });
    configured.user.as_deref().or(own).unwrap_or("1000:1000").to_owned()
}
