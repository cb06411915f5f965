//! The immutable image of a branch, and what is needed to run its tests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{AppLabel, SnapshotId, SuiteName};
use crate::registry::Reference;
use crate::seconds::Seconds;
use crate::suite::Suite;

/// Version of the snapshot format that this build writes and the only one it reads.
pub const VERSION: u32 = 3;

/// A frozen branch. The builder prints it as JSON; everyone else reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Version of this format.
    pub version: u32,
    /// Digest of everything that decides how the tests behave.
    pub id: SnapshotId,
    /// Name of the project, for people.
    pub name: String,
    /// What git says of it.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// Where the code is.
    pub content: Content,
    /// The Python to start, such as `python3` or an absolute path.
    pub python: String,
    /// How its tests are run; at least one.
    #[serde(default)]
    pub suites: Vec<Suite>,
    /// What tests see of the environment.
    #[serde(default)]
    pub environment: Environment,
    /// Service containers each pod has.
    #[serde(default)]
    pub services: Vec<Service>,
    /// Apps found by reading files.
    pub apps: Vec<App>,
    /// What was worked out rather than configured, in words.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Why a text is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is other JSON, or none.
    #[error("not a snapshot: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It was written by a build with another format.
    #[error(
        "snapshot version {found} cannot be read, this build reads version {VERSION}; \
         build it again with the same version of muletrain"
    )]
    Version {
        /// The version it says.
        found: u32,
    },
}

/// Reads a snapshot as the builder prints it.
///
/// # Errors
/// When it is none, or one of another version.
pub fn read(json: &str) -> Result<Snapshot, Error> {
    /// The one field that every version has.
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }

    match serde_json::from_str::<Versioned>(json)?.version {
        VERSION => Ok(serde_json::from_str(json)?),
        found => Err(Error::Version { found }),
    }
}

impl Snapshot {
    /// A suite by its name.
    #[must_use]
    pub fn suite(&self, name: &SuiteName) -> Option<&Suite> {
        self.suites.iter().find(|suite| suite.name == *name)
    }

    /// The suite that an app's tests belong to.
    #[must_use]
    pub fn suite_of(&self, app: &AppLabel) -> Option<&Suite> {
        let known = self.apps.iter().find(|known| known.label == *app);
        let named = known.and_then(|app| self.suite(&app.suite));
        named.or_else(|| self.suites.iter().find(|suite| suite.other == *app))
    }
}

/// What git says of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Full commit id.
    pub commit: String,
    /// Branch, unless detached.
    #[serde(default)]
    pub branch: Option<String>,
    /// Whether the tree differs from the commit.
    pub dirty: bool,
}

/// Where the code is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "runtime", rename_all = "snake_case")]
pub enum Content {
    /// In an image.
    Docker {
        /// Image id, `sha256:…`.
        image: String,
        /// `os/architecture`.
        platform: String,
        /// Absolute path of the project's root in it.
        root: String,
        /// `uid:gid` that tests run as.
        user: String,
        /// What of it a registry has; none where no registry is used.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base: Option<Base>,
    },
    /// In a private copy on this host.
    Process {
        /// Absolute path of the project's root.
        root: String,
    },
}

/// The lower part of a snapshot's image as an image of its own, in a registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Base {
    /// Its id, `sha256:…`.
    pub image: String,
    /// Where it is.
    pub reference: Reference,
    /// How many of the lowest layers of the snapshot's image are its.
    pub layers: usize,
}

impl Content {
    /// Absolute path of the project's root, as its tests see it.
    #[must_use]
    pub fn root(&self) -> &str {
        match self {
            Self::Docker { root, .. } | Self::Process { root } => root,
        }
    }
}

/// What tests see of the environment; everything else is kept out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Environment {
    /// Fixed values.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Names whose values the caller's environment gives when a run starts.
    #[serde(default)]
    pub pass: Vec<String>,
}

/// A service container, such as a database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Its name in the configuration, and an alias of `localhost` in the pod.
    pub name: String,
    /// Image reference.
    pub image: String,
    /// What that was where the snapshot was built, `sha256:…`; none where it was not there.
    #[serde(default)]
    pub image_id: Option<String>,
    /// User it runs as, without any capability; none: the image's, with those it takes to step
    /// down from root.
    #[serde(default)]
    pub user: Option<String>,
    /// Command, where not the image's own.
    #[serde(default)]
    pub command: Vec<String>,
    /// Its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Folders in memory.
    #[serde(default)]
    pub tmpfs: Vec<String>,
    /// Folder of what it stores, where a copy of its file system holds that.
    #[serde(default)]
    pub data: Option<String>,
    /// How it shows that it can be used.
    #[serde(default)]
    pub ready: Ready,
    /// How long that may take.
    pub ready_limit: Seconds,
    /// Further aliases.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Classes or globs: only pods that run such a class have it; empty: every pod.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Variables by which tests find it, unless their environment has others of these names.
    #[serde(default)]
    pub provides: BTreeMap<String, String>,
}

/// How a service shows that it can be used.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ready {
    /// It was started.
    #[default]
    Started,
    /// A command in its container succeeds.
    Command(Vec<String>),
    /// It accepts connections at a port of `localhost`.
    Port(u16),
    /// Its log says this.
    Log(String),
}

/// A Django app, or another suite, as its files show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its label.
    pub label: AppLabel,
    /// Dotted name of its package: what loads all its tests.
    pub module: String,
    /// Folder, relative to the root, `/`-separated; empty for the root.
    pub path: String,
    /// Test modules that belong to it and to no app inside it, relative to the root, sorted.
    pub test_files: Vec<String>,
    /// The suite whose tests it holds.
    #[serde(default)]
    pub suite: SuiteName,
}
