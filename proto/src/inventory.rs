//! Every test the project's own runner finds.

use serde::{Deserialize, Serialize};

use crate::id::{AppLabel, ClassId, TestId};
use crate::outcome::Failure;

/// Every test found for the user's labels, or for one lease.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Inventory {
    /// Test classes.
    pub classes: Vec<Class>,
    /// Modules that could not be loaded: results already, never run again.
    #[serde(default)]
    pub errors: Vec<LoadError>,
}

/// A test class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Class {
    /// `module.Class`.
    pub id: ClassId,
    /// The app that owns the file it is defined in.
    pub app: AppLabel,
    /// The module in which the loader found it: the label that loads it again.
    pub module: String,
    /// Where it is defined, relative to the root; absolute when outside.
    pub file: String,
    /// Line of the definition.
    #[serde(default)]
    pub line: Option<u32>,
    /// Django's order: lower first.
    pub phase: u32,
    /// Module fixtures or `load_tests` forbid splitting its module.
    #[serde(default)]
    pub whole_module: bool,
    /// Tags of the class.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Database aliases it uses.
    #[serde(default)]
    pub databases: Vec<String>,
    /// Dotted names of its ancestors.
    #[serde(default)]
    pub bases: Vec<String>,
    /// Its tests, in the order of a serial run.
    pub tests: Vec<Test>,
}

/// A test of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    /// `module.Class.method`.
    pub id: TestId,
    /// Tags of the method alone.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// A module that could not be loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadError {
    /// Such as `unittest.loader._FailedTest.shop.tests.test_cart`.
    pub id: TestId,
    /// The app it belongs to.
    pub app: AppLabel,
    /// Why.
    pub failures: Vec<Failure>,
}

impl Inventory {
    /// Number of tests, load errors left out.
    #[must_use]
    pub fn test_count(&self) -> usize {
        self.classes.iter().map(|class| class.tests.len()).sum()
    }
}
