//! The project's own steps, such as `collectstatic`: run on the image of a tree, and what they leave
//! as one layer on it.
//!
//! The layer is written here and not by the engine, with fixed times, and is kept in the cache for
//! trees in which the steps would read the same.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::anchor::ANCHOR;
use super::base::Base;
use super::container::{Access, Container, config_of};
use super::delivery::put;
use super::engine::{Engine, Image};
use super::{CONTENT, Error, PROJECT, SHORT_KEY, SNAPSHOTS, changes};
use crate::build::{Frozen, Place};
use crate::pure::digest::Digest;
use crate::pure::prepare::{beyond, read_by};
use crate::pure::tree::Manifest;

/// Bytes that may be kept of what steps leave: what is larger is made again where it is needed.
const LIMIT: u64 = 64 << 20;

/// Files that a note names.
const NAMED: usize = 3;

/// The steps of a project on a base.
pub(super) struct Steps<'a> {
    frozen: &'a Frozen,
    base: &'a Base,
    place: &'a Place<'a>,
    /// `NAME=value`, as tests see it.
    environment: Vec<String>,
    /// The files that they read.
    read: Manifest,
    /// Digest of everything that decides what they leave.
    key: String,
}

impl<'a> Steps<'a> {
    pub(super) fn new(
        frozen: &'a Frozen,
        base: &'a Base,
        place: &'a Place<'_>,
    ) -> Result<Self, Error> {
        let steps = &frozen.config.image.prepare;
        let set = &frozen.environment.set;
        let environment: Vec<String> =
            set.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (read, idle) = read_by(steps, &frozen.source.manifest).map_err(Error::Prepare)?;
        for pattern in idle {
            place
                .progress
                .note(format!("[image] prepare: no file of the project is meant by {pattern}"));
        }
        let key = Digest::new("muletrain prepared 2")
            .list(base.identity())
            .field(&base.python)
            .list(steps.iter().map(|step| &step.run))
            .list(&environment)
            .field(read.digest())
            .finish();
        Ok(Self { frozen, base, place, environment, read, key })
    }

    /// Digest of what a tree is with what they leave.
    pub(super) fn content(&self, tree: &str) -> String {
        Digest::new("muletrain prepared content 2").field(tree).field(&self.key).finish()
    }

    /// Makes the image of a tree as they leave it of the image of the tree, and returns its id.
    pub(super) async fn make(
        &self,
        engine: &Engine,
        image: &Image,
        content: &str,
    ) -> Result<String, Error> {
        if let Some(layer) = self.kept()
            && let Some(made) = put(engine, image, layer, content, self.place).await?
        {
            return Ok(made);
        }
        let access = Access { purpose: "prepare", project: &self.frozen.name, ..Access::default() };
        let container = Container::start(engine, image, &access).await?;
        let result = self.run(engine, &container, image, content).await;
        container.remove().await;
        result
    }

    async fn run(
        &self,
        engine: &Engine,
        container: &Container<'_>,
        image: &Image,
        content: &str,
    ) -> Result<String, Error> {
        let root = &self.base.root;
        for step in &self.frozen.config.image.prepare {
            self.place.progress.say(&step.run);
            container.step(&step.run, &self.base.ids(), root, &self.environment).await?;
        }
        let access = Access { purpose: "before", project: &self.frozen.name, ..Access::default() };
        let before = Container::start(engine, image, &access).await?;
        let layer = self.left(container, &before, image).await;
        before.remove().await;
        if let Some(layer) = layer? {
            self.keep(&layer);
            if let Some(made) = put(engine, image, layer, content, self.place).await? {
                return Ok(made);
            }
        }
        let labels = [(ANCHOR, ""), (CONTENT, content), (PROJECT, &self.frozen.name)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = config_of(image, HashMap::from(labels));
        container.commit(config, SNAPSHOTS, &content[..SHORT_KEY]).await
    }

    /// What they left in a container of an image, beside another one of it; none where the engine has
    /// to keep it.
    async fn left(
        &self,
        container: &Container<'_>,
        before: &Container<'_>,
        image: &Image,
    ) -> Result<Option<Vec<u8>>, Error> {
        let python = &self.base.python;
        let volumes: Vec<String> = image.config.volumes.iter().flatten().cloned().collect();
        if !volumes.is_empty()
            && let Some(volume) = changes::in_volume(container, before, python, &volumes).await?
        {
            let (image, volume) = (self.base.image.name.clone(), volume.clone());
            return Err(Error::PreparedVolume { image, volume });
        }
        changes::layer(container, before, python, LIMIT).await
    }

    /// The layer that they left on another tree, where it does for this one.
    fn kept(&self) -> Option<Vec<u8>> {
        let file = self.file();
        let layer = fs::read(&file).ok()?;
        if !self.unread(&layer).is_empty() {
            return None;
        }
        // It stays in the cache for as long as it is used.
        let _ = fs::File::open(&file).and_then(|file| file.set_modified(SystemTime::now()));
        Some(layer)
    }

    /// Keeps a layer for other trees, unless it has files of the tree that are not among those that
    /// are read.
    fn keep(&self, layer: &[u8]) {
        let unread = self.unread(layer);
        if !unread.is_empty() {
            let named = unread.iter().take(NAMED).map(|path| path.display().to_string());
            self.place.progress.note(format!(
                "[image] prepare changes what no files of its steps name, such as {}: its steps \
                 run at every change",
                named.collect::<Vec<_>>().join(", ")
            ));
            return;
        }
        let write = || {
            let mut file = tempfile::NamedTempFile::new_in(self.place.cache.prepared())?;
            file.write_all(layer)?;
            file.persist(self.file()).map_err(std::io::Error::from)
        };
        if let Err(error) = write() {
            tracing::warn!(%error, "cannot keep what the steps of [image] prepare left");
        }
    }

    /// The files of the tree that a layer has and the steps do not say they read; all where the
    /// layer cannot be read.
    fn unread(&self, layer: &[u8]) -> Vec<PathBuf> {
        let tree = &self.frozen.source.manifest;
        let root = Path::new(self.base.root.trim_start_matches('/'));
        match changes::touched(layer) {
            Ok(touched) => beyond(&touched, root, tree, &self.read).cloned().collect(),
            Err(_) => tree.0.keys().cloned().collect(),
        }
    }

    fn file(&self) -> PathBuf {
        self.place.cache.prepared().join(&self.key)
    }
}
