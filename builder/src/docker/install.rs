//! Installing packages and dependencies into an image.

use std::collections::HashMap;
use std::path::Path;

use super::container::{Access, Container, config_of};
use super::engine::{Engine, Image};
use super::{Error, SHORT_KEY, recipe};
use crate::build::Frozen;
use crate::progress::Progress;
use crate::pure::dependencies;
use crate::pure::digest::Digest;
use crate::pure::tree::Manifest;
use crate::source::archive::Owner;

/// Repository of images with everything installed, tagged by their keys.
const BASES: &str = "muletrain-base";

/// What is installed, and with what.
struct Installation<'a> {
    image: &'a Image,
    /// The command for Debian packages and the project's own, in order.
    commands: Vec<&'a str>,
    /// Files that the commands may read.
    files: Manifest,
    root: &'a str,
    bundle: Option<&'a Path>,
}

/// Installs packages and dependencies, unless an image made of the same is there.
pub(super) async fn install(
    engine: &Engine,
    frozen: &Frozen,
    image: Image,
    commands: &[String],
    root: &str,
    staging: &Path,
    progress: &Progress,
) -> Result<Image, Error> {
    let configured = &frozen.config.image;
    let bundle = recipe::bundle(configured.ca_bundle.as_deref())?;
    let packages = recipe::packages(&configured.packages, bundle.as_deref());
    let installation = Installation {
        image: &image,
        commands: packages.iter().chain(commands).map(String::as_str).collect(),
        files: frozen.source.manifest.only(|path| dependencies::reads(commands, path)),
        root,
        bundle: bundle.as_deref(),
    };
    if installation.commands.is_empty() {
        return Ok(image);
    }
    let key = installation.key();
    let name = format!("{BASES}:{}", &key[..SHORT_KEY]);
    let made = match engine.image(&name).await? {
        Some(made) => made,
        None => {
            installation.run(engine, frozen, &key, staging, progress).await?;
            engine.image(&name).await?.ok_or(Error::Lost { image: name })?
        }
    };
    // To its user it stays the image they named.
    Ok(Image { name: image.name, ..made })
}

impl Installation<'_> {
    /// Digest of everything that decides what comes out, as far as this host knows it.
    fn key(&self) -> String {
        Digest::new("muletrain base 1")
            .field(&self.image.id)
            .list(&self.commands)
            .field(self.root)
            .field(self.files.digest())
            .finish()
    }

    async fn run(
        &self,
        engine: &Engine,
        frozen: &Frozen,
        key: &str,
        staging: &Path,
        progress: &Progress,
    ) -> Result<String, Error> {
        let access = Access {
            purpose: "install",
            project: &frozen.name,
            network: true,
            bundle: self.bundle,
        };
        let environment = recipe::environment(self.bundle);
        let container = Container::start(engine, self.image, &access).await?;
        let work = async {
            let (folder, root) = (&frozen.source.folder, Path::new(self.root));
            container.upload(&self.files, folder, root, Owner::default(), staging).await?;
            for command in &self.commands {
                progress.say(command);
                container.step(command, "0:0", self.root, &environment).await?;
            }
            let labels = HashMap::from([("muletrain.base".to_owned(), key.to_owned())]);
            container.commit(config_of(self.image, labels), BASES, &key[..SHORT_KEY]).await
        };
        let result = work.await;
        let removed = container.remove().await;
        let image = result?;
        removed.map(|()| image)
    }
}
