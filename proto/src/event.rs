//! What happened in a pod. The harness's words (`agent/harness/PROTOCOL.md`) and the agent's own.

use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::coverage::Combined;
use crate::hook::Hook;
use crate::id::{ClassId, TestId};
use crate::inventory::Inventory;
use crate::outcome::{Ending, Failure, Output};
use crate::seconds::Seconds;
use crate::verdict::Verdict;

/// What happened in a pod.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// Databases for all pods of the snapshot, before this one is started.
    Warming(Warming),
    /// The pod's containers, or its process, are up.
    PodStarted(PodStarted),
    /// Django and the settings are loaded.
    Booted(Booted),
    /// The answer to a collection.
    Collected(Collected),
    /// What the pod is going to run.
    Planned(Planned),
    /// Databases are set up.
    Ready(Ready),
    /// Tests that turned up while running, such as the cases in the results of a command.
    Found(Found),
    /// A test begins.
    Started {
        /// Which.
        test: TestId,
        /// Which try of it, from 1.
        r#try: u32,
    },
    /// A test ended.
    Finished(Finished),
    /// A class or module fixture failed.
    Fixture(Fixture),
    /// A class is through.
    Class(ClassTimes),
    /// A grant is done.
    Done {
        /// Its number.
        grant: u32,
    },
    /// The harness could not go on.
    Failed(Failed),
    /// A test ran over its limit.
    TimedOut(TimedOut),
    /// A file was taken out of the pod, or could not be.
    Artifact(Artifact),
    /// A shell command around the tests was run.
    Hook(Hook),
    /// What Python warned of.
    Warnings(Warnings),
    /// The coverage of the whole run.
    Combined(Combined),
    /// The sentinel of a good pod.
    Closed(Closed),
    /// The last event of every lease.
    Ended(Ending),
}

/// What becomes of databases that are set up once and kept for all pods of a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Warming {
    /// They are being set up, and this pod waits for them.
    Begun,
    /// Kept ones fit.
    Found,
    /// They have been set up.
    Made {
        /// Time it took.
        seconds: Seconds,
    },
    /// None are kept: the pod sets up its own.
    Failed {
        /// Why, in words.
        reason: String,
    },
}

/// The pod's containers, or its process, are up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PodStarted {
    /// Container id, or process id.
    pub pod: String,
    /// Time it took.
    pub seconds: Seconds,
    /// Whether it is that of an earlier lease, with Django loaded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reused: bool,
}

/// Django and the settings are loaded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Booted {
    /// Python version.
    pub python: String,
    /// Django version.
    pub django: String,
    /// Dotted name of the project's runner.
    pub runner: String,
    /// Time it took.
    pub seconds: Seconds,
}

/// The answer to a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Collected {
    /// All that was found.
    pub inventory: Inventory,
    /// Time it took.
    pub seconds: Seconds,
}

/// What the pod is going to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// What was found of what was asked for.
    pub inventory: Inventory,
    /// Asked for and not found.
    #[serde(default)]
    pub missing: Vec<TestId>,
    /// Time it took.
    pub seconds: Seconds,
}

/// Tests that turned up while running.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// They, and no others.
    pub inventory: Inventory,
}

/// Databases are set up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ready {
    /// Which.
    #[serde(default)]
    pub databases: Vec<Database>,
    /// Time all of it took.
    pub seconds: Seconds,
    /// What was printed meanwhile.
    #[serde(flatten)]
    pub output: Output,
}

/// A test database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Database {
    /// Its alias in the settings.
    pub alias: String,
    /// Such as `postgresql`.
    pub vendor: String,
    /// Whether its content was kept, and not migrated in this pod.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warm: bool,
}

/// A test ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// Which.
    pub test: TestId,
    /// Which try of it.
    pub r#try: u32,
    /// How.
    pub verdict: Verdict,
    /// Time it took.
    pub seconds: Seconds,
    /// Why it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Everything that was raised.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// What it printed.
    #[serde(flatten)]
    pub output: Output,
}

/// A class or module fixture failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fixture {
    /// What `unittest` prints, such as `setUpClass (shop.tests.CartTest)`.
    pub id: TestId,
    /// The class, where it belongs to one.
    #[serde(default)]
    pub class: Option<ClassId>,
    /// Error or failed; skipped where what comes after the tests skips, which changes nothing.
    pub verdict: Verdict,
    /// Everything that was raised.
    #[serde(default)]
    pub failures: Vec<Failure>,
    /// What it printed.
    #[serde(flatten)]
    pub output: Output,
    /// Tests that will not run because of it.
    #[serde(default)]
    pub tests: Vec<TestId>,
}

/// A class is through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassTimes {
    /// Which.
    pub class: ClassId,
    /// Time of its fixtures before the tests.
    pub setup_seconds: Seconds,
    /// Time of its fixtures after them.
    pub teardown_seconds: Seconds,
    /// What the fixtures printed.
    #[serde(flatten)]
    pub output: Output,
    /// Most resident memory since its first fixture, where the kernel tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_kib: Option<u64>,
}

/// The harness could not go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failed {
    /// Where it was.
    pub phase: Phase,
    /// Everything that was raised.
    #[serde(default)]
    pub failures: Vec<Failure>,
    /// What was printed meanwhile.
    #[serde(flatten)]
    pub output: Output,
}

/// A stage in the life of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Running the shell commands before the tests.
    Setup,
    /// Loading Django and the settings.
    Boot,
    /// Loading test modules.
    Collect,
    /// Creating and migrating databases.
    Databases,
    /// System checks.
    Checks,
    /// Running tests.
    Run,
    /// Taking databases and the environment down.
    Teardown,
}

impl Phase {
    /// Every phase, in the order they come.
    pub const ALL: [Self; 7] = [
        Self::Setup,
        Self::Boot,
        Self::Collect,
        Self::Databases,
        Self::Checks,
        Self::Run,
        Self::Teardown,
    ];
}

/// What Python warned of in a pod, each text and place once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warnings {
    /// Which.
    pub warnings: Vec<Warning>,
    /// Others that are left out.
    #[serde(default)]
    pub omitted: u64,
}

/// A warning of Python.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// Dotted name of its class.
    pub category: String,
    /// Its text.
    pub message: String,
    /// Relative to the root where it is inside.
    pub file: String,
    /// Line of it.
    pub line: u32,
    /// How often.
    pub count: u64,
}

/// A time limit was up while a test ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimedOut {
    /// Which test.
    pub test: TestId,
    /// Which try of it.
    pub r#try: u32,
    /// The limit.
    pub seconds: Seconds,
    /// Stacks of all threads.
    pub stacks: String,
    /// What it printed.
    #[serde(flatten)]
    pub output: Output,
    /// What the limit is for.
    #[serde(default, skip_serializing_if = "LimitOf::is_of_test")]
    pub limit_of: LimitOf,
    /// Other tests that will not run because of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<TestId>,
}

/// What a time limit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitOf {
    /// One test, or one fixture.
    #[default]
    Test,
    /// A class, from its first fixture to its last.
    Class,
    /// An app's tests in one pod, from loading them to their end.
    App,
    /// The run, from when it was opened.
    Run,
}

impl LimitOf {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Test, Self::Class, Self::App, Self::Run];

    fn is_of_test(&self) -> bool {
        *self == Self::Test
    }
}

/// The sentinel of a good pod.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    /// Number of tests it finished.
    pub tests: u32,
    /// Peak resident memory.
    #[serde(default)]
    pub peak_kib: Option<u64>,
}
