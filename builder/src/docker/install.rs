//! Installing packages and dependencies into an image, and compiling them.

use std::collections::HashMap;
use std::path::Path;

use muletrain_proto::registry::{Reference, Repository};

use super::base::Wanted;
use super::container::{Access, Container, config_of};
use super::engine::{Engine, Image};
use super::registry::{Registry, Unusable};
use super::{Error, PROJECT, PYTHON, SHORT_KEY, USER, inside, recipe, root};
use crate::build::{Frozen, Place};
use crate::pure::dependencies;
use crate::pure::digest::Digest;
use crate::pure::tree::Manifest;
use crate::source::archive::{Contents, Owner};

/// Repository of images with everything installed, tagged by their keys.
const BASES: &str = "muletrain-base";

/// Label with the whole key.
const KEY: &str = "muletrain.base";

/// Label with where the project goes, as [`inside::real`] says it.
const ROOT: &str = "muletrain.root";

/// An image with everything installed, and what was found out about it.
pub(super) struct Installed {
    /// The image, called what the user calls the one it was made of.
    pub image: Image,
    /// Who tests run as.
    pub owner: Owner,
    /// The Python to start.
    pub python: String,
    /// Where the project goes, no part of which is a link.
    pub place: root::Place,
    /// Where others get the image.
    pub shared: Option<Reference>,
}

/// What is installed, and with what.
struct Installation<'a> {
    wanted: &'a Wanted<'a>,
    /// The command for Debian packages and the project's own, in order.
    commands: Vec<&'a str>,
    /// Files that the commands may read.
    files: Manifest,
    bundle: Option<&'a Path>,
}

/// Installs packages and dependencies, unless an image made of the same is there.
pub(super) async fn install(
    engine: &Engine,
    frozen: &Frozen,
    wanted: &Wanted<'_>,
    place: &Place<'_>,
) -> Result<Installed, Error> {
    let configured = &frozen.config.image;
    let bundle = recipe::bundle(configured.ca_bundle.as_deref())?;
    let packages = recipe::packages(&configured.packages, bundle.as_deref());
    let reads = |path: &Path| dependencies::reads(wanted.commands, path);
    let files = match wanted.commands {
        [] => Manifest::default(),
        _ => frozen.source.manifest.only(reads),
    };
    let commands = packages.iter().chain(wanted.commands).map(String::as_str).collect();
    let installation = Installation { wanted, commands, files, bundle: bundle.as_deref() };
    match &configured.registry {
        Some(repository) => installation.share(engine, frozen, repository, place).await,
        None => installation.find_or_run(engine, frozen, place).await,
    }
}

impl Installed {
    fn from_labels(image: Image, key: &str, wanted: &Wanted<'_>) -> Option<Self> {
        let (user, group) = image.label(USER).split_once(':')?;
        let owner = Owner { user: user.parse().ok()?, group: group.parse().ok()? };
        let python = image.label(PYTHON).to_owned();
        let place = serde_json::from_str(image.label(ROOT)).ok()?;
        (image.label(KEY) == key && !python.is_empty()).then(|| Self {
            image: Image { name: wanted.image.name.clone(), ..image },
            owner,
            python,
            place,
            shared: None,
        })
    }
}

impl Installation<'_> {
    /// The base that all builders with this registry have; one of this engine's own where the
    /// registry is of no use.
    async fn share(
        &self,
        engine: &Engine,
        frozen: &Frozen,
        repository: &Repository,
        place: &Place<'_>,
    ) -> Result<Installed, Error> {
        if let Some(installed) = self.find(engine).await?
            && let Some(shared) = repository.find(&installed.image.references)
        {
            return Ok(Installed { shared: Some(shared), ..installed });
        }
        let registry = Registry::new(engine, repository).await;
        let without = |why: Unusable| {
            place.progress.note(format!(
                "{why}; agents that lack the base get it through the scheduler instead"
            ));
        };
        match self.take(&registry, repository, place).await {
            Ok(Some(installed)) => return Ok(installed),
            Ok(None) => {}
            Err(why) => {
                without(why);
                return self.find_or_run(engine, frozen, place).await;
            }
        }
        let installed = self.find_or_run(engine, frozen, place).await?;
        place.progress.say(&format!("pushing the base to {repository}"));
        let given = registry.give(&installed.image, &self.tag()).await;
        Ok(Installed { shared: given.map_err(without).ok(), ..installed })
    }

    /// The base that the registry has, as one of this engine's.
    async fn take(
        &self,
        registry: &Registry<'_>,
        repository: &Repository,
        place: &Place<'_>,
    ) -> Result<Option<Installed>, Unusable> {
        let Some(image) = registry.take(&self.tag()).await? else { return Ok(None) };
        let shared = repository.find(&image.references);
        let lower = &self.wanted.image.layers;
        let is_on_it = image.layers.starts_with(lower);
        let Some(installed) =
            Installed::from_labels(image, &self.key(), self.wanted).filter(|installed| {
                is_on_it && installed.image.platform() == self.wanted.image.platform()
            })
        else {
            place.progress.note(format!(
                "{} is no base as it is called: another one takes its place",
                repository.tagged(&self.tag())
            ));
            return Ok(None);
        };
        registry.name(&installed.image, BASES, &self.key()[..SHORT_KEY]).await?;
        place.progress.say(&format!("took the base from {repository}"));
        Ok(Some(Installed { shared, ..installed }))
    }

    /// What the registry calls it.
    fn tag(&self) -> String {
        format!("base-{}", &self.key()[..SHORT_KEY])
    }

    async fn find_or_run(
        &self,
        engine: &Engine,
        frozen: &Frozen,
        place: &Place<'_>,
    ) -> Result<Installed, Error> {
        if let Some(installed) = self.find(engine).await? {
            return Ok(installed);
        }
        self.run(engine, frozen, &self.key(), place).await?;
        let name = self.name();
        let Some(image) = engine.image(&name).await? else {
            return Err(Error::Lost { image: name });
        };
        let installed = Installed::from_labels(image, &self.key(), self.wanted);
        installed.ok_or(Error::Unlabelled { image: name })
    }

    /// The base that the engine has.
    async fn find(&self, engine: &Engine) -> Result<Option<Installed>, Error> {
        let found = engine.image(&self.name()).await?;
        Ok(found.and_then(|image| Installed::from_labels(image, &self.key(), self.wanted)))
    }

    /// What the engine calls it.
    fn name(&self) -> String {
        format!("{BASES}:{}", &self.key()[..SHORT_KEY])
    }

    /// Digest of everything that decides what comes out, as far as this host knows it.
    fn key(&self) -> String {
        Digest::new("muletrain base 3")
            .field(&self.wanted.image.id)
            .list(&self.commands)
            .field(&self.wanted.place.root)
            .field(self.wanted.user)
            .field(self.wanted.python.unwrap_or_default())
            .field(self.files.digest())
            .finish()
    }

    async fn run(
        &self,
        engine: &Engine,
        frozen: &Frozen,
        key: &str,
        place: &Place<'_>,
    ) -> Result<String, Error> {
        let access = Access {
            purpose: "install",
            project: &frozen.name,
            network: !self.commands.is_empty(),
            bundle: self.bundle,
        };
        let container = Container::start(engine, self.wanted.image, &access).await?;
        let result = self.make(&container, frozen, key, place).await;
        container.remove().await;
        result
    }

    async fn make(
        &self,
        container: &Container<'_>,
        frozen: &Frozen,
        key: &str,
        place: &Place<'_>,
    ) -> Result<String, Error> {
        let Wanted { image, place: said, .. } = *self.wanted;
        let mut root = said.root.clone();
        if !self.commands.is_empty() {
            root = inside::without_links(container, &root).await?;
            let inside = Path::new(root.trim_start_matches('/'));
            let files = self.files.clone();
            let contents = Contents { files, ..Contents::new(inside) };
            container.upload(&contents, &frozen.source, place.staging).await?;
        }
        let environment = recipe::environment(self.bundle);
        for command in &self.commands {
            place.progress.say(command);
            container.step(command, "0:0", &root, &environment).await?;
        }
        let owner = inside::owner(container, self.wanted).await?;
        let user = format!("{}:{}", owner.user, owner.group);
        let python = inside::python(container, self.wanted, &user).await?;
        inside::compile_installed(container, &python).await?;
        let real = inside::real(container, &python, said).await?;
        let labels =
            [(KEY, key), (PROJECT, &frozen.name), (PYTHON, &python), (ROOT, &real), (USER, &user)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = config_of(image, HashMap::from(labels));
        container.commit(config, BASES, &key[..SHORT_KEY]).await
    }
}
