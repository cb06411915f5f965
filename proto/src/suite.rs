//! Suites: tests of a project that are run in one way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{AppLabel, SuiteName};

/// Tests that one runner finds and runs. A project has one or several, and each test belongs to
/// one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suite {
    /// Its name, unique in its project.
    pub name: SuiteName,
    /// What finds and runs its tests.
    #[serde(flatten)]
    pub adapter: Adapter,
    /// Folder it is run in, relative to the root, `/`-separated; empty for the root.
    #[serde(default)]
    pub path: String,
    /// What its tests see of the environment beside what all see.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The app of those of its tests that are in no other.
    #[serde(default = "AppLabel::other")]
    pub other: AppLabel,
    /// What the ids of its tests begin with, where those of another suite would be the same.
    #[serde(default)]
    pub prefix: String,
}

/// What finds and runs the tests of a suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Adapter {
    /// `manage.py test`, with the project's own runner.
    Django {
        /// `manage.py`, relative to the root.
        #[serde(default)]
        manage: Option<String>,
        /// Settings module, where it is not the one `manage.py` chooses.
        #[serde(default)]
        settings: Option<String>,
    },
    /// `pytest`, with its plugins.
    Pytest {
        /// Settings module, for pytest-django.
        #[serde(default)]
        settings: Option<String>,
        /// Further arguments, such as `--reuse-db`.
        #[serde(default)]
        arguments: Vec<String>,
        /// Whether pytest-django sets up the databases of its tests.
        #[serde(default)]
        django: bool,
    },
    /// `python -m unittest discover`.
    Unittest {
        /// Its arguments, such as `-s tests`.
        #[serde(default)]
        arguments: Vec<String>,
    },
    /// Any command that writes JUnit XML.
    Command {
        /// Shell command that runs the job `$TEST`.
        command: String,
        /// Shell command that prints the jobs, one a line; none: there is one job.
        #[serde(default)]
        list: Option<String>,
        /// Globs of the files it writes; none: its exit code is all there is.
        #[serde(default)]
        junit: Vec<String>,
    },
}

impl Adapter {
    /// Its name in configurations.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Django { .. } => "django",
            Self::Pytest { .. } => "pytest",
            Self::Unittest { .. } => "unittest",
            Self::Command { .. } => "command",
        }
    }

    /// Whether the databases of its tests can be set up without running any.
    #[must_use]
    pub fn has_databases(&self) -> bool {
        matches!(self, Self::Django { .. } | Self::Pytest { django: true, .. })
    }

    /// What loads all tests of an app: its folder for pytest, else its dotted package.
    #[must_use]
    pub fn label_of(&self, module: &str, path: &str) -> String {
        match self {
            Self::Pytest { .. } => path.to_owned(),
            Self::Django { .. } | Self::Unittest { .. } | Self::Command { .. } => module.to_owned(),
        }
    }
}

impl Suite {
    /// A suite of the whole project.
    #[must_use]
    pub fn new(name: SuiteName, adapter: Adapter) -> Self {
        Self {
            name,
            adapter,
            path: String::new(),
            environment: BTreeMap::new(),
            other: AppLabel::other(),
            prefix: String::new(),
        }
    }
}
