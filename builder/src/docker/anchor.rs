//! Anchors: images of a base and a whole tree, on which the layers of later trees are put.
//!
//! What an anchor holds is kept in the builder's cache, and in the image itself for builders
//! that have not made it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bollard::query_parameters::ListImagesOptionsBuilder;

use super::base::Base;
use super::container::{self, Access, Container, config_of};
use super::engine::{Engine, Image, SHORT, within};
use super::snapshot::Made;
use super::{BASE, CONTENT, Error, NOTE, PROJECT, PYTHON, SHORT_KEY, SNAPSHOTS, USER, inside};
use crate::build::{Frozen, Place};
use crate::pure::delta::{Delta, LIMIT};
use crate::pure::digest::Digest;
use crate::pure::holding::Holding;
use crate::source::archive::Contents;

/// Label of anchors, with a key of what they can be anchors for.
pub(super) const ANCHOR: &str = "muletrain.anchor";

/// Where an anchor says what it holds.
const HOLDING: &str = "/usr/share/muletrain/anchor";

/// Anchors that are looked at before another one is made.
const CANDIDATES: usize = 4;

/// An anchor and what it holds.
pub(super) struct Anchor {
    /// The image.
    pub image: Image,
    /// What it holds.
    pub holding: Holding,
}

/// Files that a note names.
const NAMED: usize = 3;

impl Anchor {
    /// Of the anchors on a base the best one: of this project rather than another, and the
    /// newest. None where each differs from the tree by more than a layer can or should hold.
    pub(super) async fn nearest(
        engine: &Engine,
        frozen: &Frozen,
        base: &Base,
        place: &Place<'_>,
    ) -> Result<Option<(Self, Delta)>, Error> {
        for id in candidates(engine, frozen, base).await? {
            // It may have been removed since it was listed.
            let Some(image) = engine.image(&id).await? else { continue };
            // What somebody built on an anchor has its labels as well.
            if image.layers.split_last().is_none_or(|(_, lower)| *lower != base.image.layers) {
                continue;
            }
            let Some(holding) = holding(engine, &image, place).await? else { continue };
            let Some(delta) = Delta::between(&holding, &frozen.source.manifest) else { continue };
            if delta.bytes() <= LIMIT {
                return Ok(Some((Self { image, holding }, delta)));
            }
        }
        Ok(None)
    }
}

/// Makes an anchor of the tree, which is a snapshot of it as well.
pub(super) async fn make(
    engine: &Engine,
    frozen: &Frozen,
    base: &Base,
    content: &str,
    place: &Place<'_>,
) -> Result<Made, Error> {
    let access = Access { purpose: "snapshot", project: &frozen.name, ..Access::default() };
    let container = Container::start(engine, &base.image, &access).await?;
    let result = fill(&container, frozen, base, content, place).await;
    container.remove().await;
    let (made, holding) = result?;
    keep(&place.cache.anchors(), &made.image, &holding);
    Ok(made)
}

async fn fill(
    container: &Container<'_>,
    frozen: &Frozen,
    base: &Base,
    content: &str,
    place: &Place<'_>,
) -> Result<(Made, Vec<u8>), Error> {
    let user = base.ids();
    let listing = inside::list(container, &base.python, &base.root).await?;
    let holding = Holding::new(frozen.source.manifest.clone(), &listing)
        .ok_or_else(|| Error::Unlisted { image: base.image.name.clone() })?;
    let bytes = holding.write();
    let contents = Contents {
        files: holding.manifest.clone(),
        owner: base.owner,
        further: [(Path::new(HOLDING.trim_start_matches('/')), bytes.as_slice())].into(),
        ..Contents::new(Path::new(base.root.trim_start_matches('/')))
    };
    let altered = match &frozen.config.image.dockerfile {
        Some(_) => {
            inside::altered(container, &base.python, &base.root, &holding.covering()).await?
        }
        None => Vec::new(),
    };
    container.upload(&contents, &frozen.source, place.staging).await?;
    inside::compile_project(container, &base.python, &base.root, &user).await?;
    let note = note(&holding, &altered, base);
    let key = key(base);
    let labels = [
        (ANCHOR, key.as_str()),
        (BASE, &base.image.id),
        (CONTENT, content),
        (NOTE, &note),
        (PROJECT, &frozen.name),
        (PYTHON, &base.python),
        (USER, &user),
    ];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut config = config_of(&base.image, HashMap::from(labels));
    config.working_dir = Some(base.root.clone());
    config.user = Some(user);
    let image = container.commit(config, SNAPSHOTS, &content[..SHORT_KEY]).await?;
    Ok((Made { image, note }, bytes))
}

/// Digest of what an anchor must be made on to be one for a snapshot.
fn key(base: &Base) -> String {
    Digest::new("muletrain anchor 2").list(base.identity()).field(&base.python).finish()
}

/// Images that are anchors on a base, the best first.
async fn candidates(engine: &Engine, frozen: &Frozen, base: &Base) -> Result<Vec<String>, Error> {
    let label = format!("{ANCHOR}={}", key(base));
    let filters = HashMap::from([("label", vec![label])]);
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    let list = engine.docker.list_images(Some(options));
    let mut images = within("list images", SHORT, list).await?;
    images.sort_by_key(|image| {
        let own = image.labels.get(PROJECT) == Some(&frozen.name);
        std::cmp::Reverse((own, image.created))
    });
    Ok(images.into_iter().take(CANDIDATES).map(|image| image.id).collect())
}

/// What an anchor holds, as the cache knows or the image says; none where neither does.
async fn holding(
    engine: &Engine,
    image: &Image,
    place: &Place<'_>,
) -> Result<Option<Holding>, Error> {
    let folder = place.cache.anchors();
    let file = kept_at(&folder, &image.id);
    if let Some(holding) = fs::read(&file).ok().and_then(|bytes| Holding::parse(&bytes)) {
        // It stays in the cache for as long as it is used.
        let _ = fs::File::open(&file).and_then(|file| file.set_modified(SystemTime::now()));
        return Ok(Some(holding));
    }
    let Some(bytes) = container::read_file(engine, image, HOLDING).await? else { return Ok(None) };
    let holding = Holding::parse(&bytes);
    if holding.is_some() {
        keep(&folder, &image.id, &bytes);
    }
    Ok(holding)
}

/// Keeps what an anchor holds. Failing at that only makes it be asked of the image.
fn keep(folder: &Path, image: &str, holding: &[u8]) {
    let write = || {
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut file, holding)?;
        file.persist(kept_at(folder, image)).map_err(std::io::Error::from)
    };
    if let Err(error) = write() {
        tracing::warn!(path = %folder.display(), %error, "cannot keep what an anchor holds");
    }
}

fn kept_at(folder: &Path, image: &str) -> PathBuf {
    folder.join(image.trim_start_matches("sha256:"))
}

/// What is to be told of a base: Python files that only it has, and files of the project that its
/// Dockerfile has altered.
fn note(holding: &Holding, altered: &[PathBuf], base: &Base) -> String {
    let is_code = |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "py");
    let strangers: Vec<&PathBuf> = holding.strangers().filter(is_code).collect();
    let altered: Vec<&PathBuf> = altered.iter().collect();
    let root = &base.root;
    let strange = format!(
        "the base has Python files in {root} that the project does not have, {}: they stay, and so \
         do tests in them",
        some(&strangers)
    );
    let other = format!(
        "the Dockerfile alters files of the project in {root}, {}: the snapshot has them as they \
         are in the checkout; alter them in [image] prepare, if tests need that",
        some(&altered)
    );
    let notes = [(strange, strangers.is_empty()), (other, altered.is_empty())];
    let notes = notes.into_iter().filter(|(_, is_idle)| !is_idle).map(|(note, _)| note);
    notes.collect::<Vec<_>>().join("; ")
}

/// How many files there are, and the names of the first.
fn some(files: &[&PathBuf]) -> String {
    let named = files.iter().take(NAMED).map(|path| path.display().to_string());
    format!("{} in all, such as {}", files.len(), named.collect::<Vec<_>>().join(", "))
}
