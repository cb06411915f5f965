//! The snapshot image: the base and one layer with the project.

use std::collections::HashMap;
use std::path::Path;

use muletrain_proto::id::SnapshotId;
use muletrain_proto::snapshot::Content;

use super::base::Base;
use super::container::{Access, Command, Container, config_of};
use super::engine::{Engine, Image};
use super::{Error, PROJECT, SHORT_KEY};
use crate::build::Frozen;
use crate::progress::Progress;
use crate::pure::python_version;
use crate::source::archive::Owner;

/// Repository of snapshots, tagged by their ids.
const SNAPSHOTS: &str = "muletrain-snapshot";

/// Label with the snapshot's whole id.
const ID: &str = "muletrain.snapshot";

/// Label with the Python to start.
const PYTHON: &str = "muletrain.python";

/// Label with the `uid:gid` that tests run as.
const USER: &str = "muletrain.user";

/// Label with what is to be told of the base, each time the snapshot is used.
const NOTE: &str = "muletrain.note";

/// Files that a note names.
const NAMED: usize = 3;

/// A snapshot image.
#[derive(Debug)]
pub(super) struct Made {
    /// Its id.
    pub image: String,
    /// The Python to start.
    pub python: String,
    user: String,
    note: String,
}

impl Made {
    /// Where the code is.
    pub(super) fn content(&self, base: &Base) -> Content {
        Content::Docker {
            image: self.image.clone(),
            platform: base.image.platform.clone(),
            root: base.root.clone(),
            user: self.user.clone(),
        }
    }

    fn from_labels(image: &Image, id: &SnapshotId) -> Option<Self> {
        let (python, user) = (image.label(PYTHON).to_owned(), image.label(USER).to_owned());
        let ours = image.label(ID) == id.as_str() && !python.is_empty() && !user.is_empty();
        ours.then(|| Self {
            image: image.id.clone(),
            python,
            user,
            note: image.label(NOTE).to_owned(),
        })
    }
}

/// Finds the image of a snapshot, or makes it.
pub(super) async fn find_or_make(
    engine: &Engine,
    frozen: &Frozen,
    base: &Base,
    id: &SnapshotId,
    staging: &Path,
    progress: &Progress,
) -> Result<Made, Error> {
    let tag = &id.as_str()[..SHORT_KEY];
    let there = engine.image(&format!("{SNAPSHOTS}:{tag}")).await?;
    let made = match there.and_then(|image| Made::from_labels(&image, id)) {
        Some(made) => made,
        None => {
            let access = Access { purpose: "snapshot", project: &frozen.name, ..Access::default() };
            let container = Container::start(engine, &base.image, &access).await?;
            let result = make(&container, frozen, base, id, staging, progress).await;
            let removed = container.remove().await;
            let made = result?;
            removed?;
            made
        }
    };
    if !made.note.is_empty() {
        progress.note(made.note.clone());
    }
    Ok(made)
}

async fn make(
    container: &Container<'_>,
    frozen: &Frozen,
    base: &Base,
    id: &SnapshotId,
    staging: &Path,
    progress: &Progress,
) -> Result<Made, Error> {
    let owner = owner(container, base).await?;
    let user = format!("{}:{}", owner.user, owner.group);
    let python = python(container, frozen, base, &user).await?;
    let note = note(&strangers(container, frozen, base).await?, &base.root);
    let source = &frozen.source;
    let root = Path::new(&base.root);
    container.upload(&source.manifest, &source.folder, root, owner, staging).await?;
    let set = &frozen.environment.set;
    let environment: Vec<String> =
        set.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for command in &frozen.config.image.prepare {
        progress.say(command);
        container.step(command, &user, &base.root, &environment).await?;
    }
    let labels = [
        (ID, id.as_str()),
        (PROJECT, &frozen.name),
        (PYTHON, &python),
        (USER, &user),
        (NOTE, &note),
    ];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut config = config_of(&base.image, HashMap::from(labels));
    config.working_dir = Some(base.root.clone());
    config.user = Some(user.clone());
    let tag = &id.as_str()[..SHORT_KEY];
    let image = container.commit(config, SNAPSHOTS, tag).await?;
    Ok(Made { image, python, user, note })
}

/// Python files that the base has where the project goes, and that are not the project's.
async fn strangers(
    container: &Container<'_>,
    frozen: &Frozen,
    base: &Base,
) -> Result<Vec<String>, Error> {
    let mut words = vec!["find", base.root.as_str(), "-name", "*.py", "-type", "f"];
    for others in ["*/site-packages/*", "*/node_modules/*"] {
        words.extend(["-not", "-path", others]);
    }
    let command = Command { words, user: "0:0", folder: "/", ..Command::default() };
    let ended = container.run(command).await?;
    let output = String::from_utf8_lossy(&ended.output);
    // A base without that folder, or without `find`, says so in words that are no paths.
    let paths = output.lines().filter_map(|line| line.strip_prefix(&base.root)?.strip_prefix('/'));
    let mut paths: Vec<String> =
        paths.filter(|path| !frozen.source.manifest.has_file(path)).map(str::to_owned).collect();
    paths.sort();
    Ok(paths)
}

fn note(strangers: &[String], root: &str) -> String {
    let named = strangers.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match strangers.len() {
        0 => String::new(),
        number => format!(
            "the base has Python files in {root} that the project does not have, {number} in all, \
             such as {named}: they stay, and so do tests in them"
        ),
    }
}

/// The ids of the user that tests run as.
async fn owner(container: &Container<'_>, base: &Base) -> Result<Owner, Error> {
    if let Some((user, group)) = base.user.split_once(':')
        && let (Ok(user), Ok(group)) = (user.parse(), group.parse())
    {
        return Ok(Owner { user, group });
    }
    let words = vec!["/bin/sh", "-c", "id -u && id -g"];
    let command = Command { words, user: &base.user, folder: "/", ..Command::default() };
    let ended = container.run(command).await?;
    let said = String::from_utf8_lossy(&ended.output).trim().to_owned();
    let ids: Vec<u64> = said.lines().filter_map(|line| line.trim().parse().ok()).collect();
    match ids[..] {
        [user, group] if ended.status == 0 => Ok(Owner { user, group }),
        _ => {
            let (image, user) = (base.image.name.clone(), base.user.clone());
            Err(Error::NoUser { image, user, said })
        }
    }
}

/// The first Python of the image that can import Django.
async fn python(
    container: &Container<'_>,
    frozen: &Frozen,
    base: &Base,
    user: &str,
) -> Result<String, Error> {
    let configured = frozen.config.project.python.as_deref();
    let named = configured.filter(|python| python_version::pinned(python).is_none());
    let candidates = named.map_or(vec!["python", "python3"], |python| vec![python]);
    let mut said = Vec::new();
    for candidate in candidates {
        let words = vec![candidate, "-c", "import django"];
        let command = Command { words, user, folder: "/", ..Command::default() };
        let ended = container.run(command).await?;
        if ended.status == 0 {
            return Ok(candidate.to_owned());
        }
        let output = String::from_utf8_lossy(&ended.output);
        let last = output.trim().lines().last().unwrap_or("nothing").trim();
        said.push(format!("{candidate}: {last}"));
    }
    Err(Error::NoDjango { image: base.image.name.clone(), said: said.join("; ") })
}
