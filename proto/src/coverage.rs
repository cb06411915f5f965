//! How much of a project its tests executed.

use serde::{Deserialize, Serialize};

use crate::seconds::Seconds;

/// That coverage is measured, and what is made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Coverage {
    /// Configuration of the `coverage` package, relative to its working directory; none: where it
    /// looks by itself.
    pub config: Option<String>,
    /// Whether an XML report is made.
    pub xml: bool,
    /// Whether an HTML report is made.
    pub html: bool,
}

impl Default for Coverage {
    fn default() -> Self {
        Self { config: None, xml: true, html: true }
    }
}

/// The coverage of a whole run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Combined {
    /// Data files it was made of.
    pub files: u32,
    /// Statements there are.
    pub statements: u64,
    /// Those that no test executed.
    pub missing: u64,
    /// Branches there are, where they are measured.
    #[serde(default)]
    pub branches: u64,
    /// Branches that no test took.
    #[serde(default)]
    pub missing_branches: u64,
    /// What the `coverage` package makes of it, in percent, as it prints it.
    pub percent: String,
    /// The percentage that the project's own configuration demands, where it is not reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demanded: Option<String>,
    /// What the `coverage` package had to say beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Time it took.
    pub seconds: Seconds,
}

/// What one process measured, on its way to be combined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its name, unique in the run.
    pub name: crate::artifact::Name,
    /// Names its bytes.
    pub digest: crate::blob::Digest,
}
