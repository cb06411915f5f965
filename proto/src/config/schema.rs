//! The keys, as they are written in the file.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::order::{Flaky, Retry, Shuffle};
use super::preset::Preset;
use super::results::Results;
use super::step::Step;
use super::suite::Suite;
use super::units;
use crate::registry::Repository;
use crate::run::Isolation;
use crate::seconds::Seconds;

/// A project's whole configuration. What is not said is worked out, or has its default.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How Django is reached.
    pub project: Project,
    /// How tests are run, each in its way; none: one suite, whose kind is detected.
    pub suite: Vec<Suite>,
    /// What the tests' image is made of.
    pub image: Image,
    /// What tests see of the environment.
    pub env: Env,
    /// Service containers each pod has, by name.
    pub services: BTreeMap<String, Service>,
    /// Shell commands around the tests.
    pub hooks: Hooks,
    /// How much of the project the tests execute.
    pub coverage: Coverage,
    /// How tests are run. Arguments and `MULETRAIN_*` variables go before these.
    pub run: Run,
    /// Which runs are kept.
    pub results: Results,
}

/// How Django is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Project {
    /// `manage.py`, relative to the project's folder.
    pub manage: Option<String>,
    /// Settings module, where it is not the one `manage.py` chooses.
    pub settings: Option<String>,
    /// Python version, such as `3.12`; or the interpreter to start, by name or path.
    pub python: Option<String>,
}

/// What the tests' image is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Image {
    /// Image to start from.
    pub base: Option<String>,
    /// Dockerfile to start from, relative to the project's folder.
    pub dockerfile: Option<String>,
    /// Stage of the Dockerfile.
    pub target: Option<String>,
    /// Build arguments of the Dockerfile.
    pub build_args: BTreeMap<String, String>,
    /// Debian packages to install.
    pub packages: Vec<String>,
    /// Shell commands that install the dependencies. They see, and are run again after a change
    /// of: requirements, constraints, lock and packaging files, and every file or folder they
    /// name; the whole project where they name `.`, as in `pip install -e .`.
    pub install: Vec<String>,
    /// Where the project goes in the image; else the image's working directory, or `/app`.
    pub root: Option<String>,
    /// Commands run once the project is in place, such as `collectstatic`. What they leave is kept
    /// for as long as the files are the same that they read.
    pub prepare: Vec<Step>,
    /// File of certificate authorities that build steps trust; it never gets into the image.
    pub ca_bundle: Option<String>,
    /// Repository of a registry by which bases are shared, `HOST[:PORT]/PATH`: whoever makes one
    /// first pushes it, other builders and agents pull it.
    pub registry: Option<Repository>,
    /// User that tests run as, `name` or `uid[:gid]`; else the image's, if that is not root.
    pub user: Option<String>,
}

/// What tests see of the environment; everything else is kept out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Env {
    /// Fixed values.
    pub set: BTreeMap<String, String>,
    /// Names whose values are taken from the caller's environment when a run starts.
    pub pass: Vec<String>,
}

/// A service container, such as a database. What a key says goes before what a preset says.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// A well-known service and its version, such as `postgres:16`.
    pub preset: Option<Preset>,
    /// Image reference. Beside a preset: an image that is used in the same way.
    pub image: Option<String>,
    /// User it runs as, by name or `uid[:gid]`, without any capability.
    pub user: Option<String>,
    /// Command, word by word, where not the image's own.
    pub command: Vec<String>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// Folders in memory, by absolute path.
    pub tmpfs: Vec<String>,
    /// Folder in which it is told to store its data; no volume of its image, so that databases
    /// can be kept.
    pub data: Option<String>,
    /// Command, word by word, that succeeds once it is ready.
    pub ready: Vec<String>,
    /// Port that accepts connections once it is ready.
    pub ready_port: Option<u16>,
    /// Text in its log once it is ready.
    pub ready_log: Option<String>,
    /// How long it may take to get ready, such as `"60s"`.
    #[serde(deserialize_with = "units::read_duration")]
    pub ready_timeout: Option<Seconds>,
    /// Host names it answers to beside its own name and `localhost`.
    pub aliases: Vec<String>,
    /// Classes, whose subclasses match, or globs: only pods that run such a class have it.
    pub only: Vec<String>,
}

/// Shell commands around the tests, each list in the order they run.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hooks {
    /// In the project's folder where the run is started, before anything is handed out.
    pub run_setup: Vec<String>,
    /// In the same place, after all pods are gone.
    pub run_teardown: Vec<String>,
    /// In each pod, before the project is loaded.
    pub pod_setup: Vec<String>,
    /// In each pod, after everything else.
    pub pod_teardown: Vec<String>,
    /// In each pod, before an app's tests are loaded.
    pub app_setup: Vec<String>,
    /// In each pod, after an app's tests.
    pub app_teardown: Vec<String>,
    /// Time limit of one command, such as `"5m"`.
    #[serde(deserialize_with = "units::read_duration")]
    pub timeout: Option<Seconds>,
}

/// How much of the project the tests execute, as its own `coverage` package measures it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Coverage {
    /// Whether it is measured.
    pub enabled: bool,
    /// Configuration of the package, where it is in no place that it looks at by itself.
    pub config: Option<String>,
    /// Whether an XML report is made.
    pub xml: bool,
    /// Whether an HTML report is made.
    pub html: bool,
}

impl Default for Coverage {
    fn default() -> Self {
        Self { enabled: false, config: None, xml: true, html: true }
    }
}

/// How tests are run.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Run {
    /// Pods at once on this machine.
    pub slots: Option<u32>,
    /// What pods are made of.
    pub runtime: Option<Runtime>,
    /// What is run where no label is an argument: app labels, packages, modules, classes or
    /// methods; empty means everything.
    pub labels: Vec<String>,
    /// Classes or globs, at least one of which must match.
    pub include: Vec<String>,
    /// Classes or globs, none of which may match.
    pub exclude: Vec<String>,
    /// Tags, at least one of which a test must have.
    pub tags: Vec<String>,
    /// Tags, none of which a test may have.
    pub exclude_tags: Vec<String>,
    /// Texts or globs, at least one of which a test's id must hold or match.
    pub patterns: Vec<String>,
    /// Further tries of a test that failed.
    pub retries: Option<u32>,
    /// Other numbers of further tries; the first that fits a test goes before `retries`.
    pub retry: Vec<Retry>,
    /// What a test that passed in a later try makes of the run.
    pub flaky: Option<Flaky>,
    /// Whether classes and methods run in a shuffled order.
    pub shuffle: Option<Shuffle>,
    /// Classes or globs: of those that one of these matches, never two run at once.
    pub serial: Vec<String>,
    /// Time limit of one test, such as `"60s"`.
    #[serde(deserialize_with = "units::read_duration")]
    pub test_timeout: Option<Seconds>,
    /// Time limit of a class, its fixtures included.
    #[serde(deserialize_with = "units::read_duration")]
    pub class_timeout: Option<Seconds>,
    /// Time limit of an app's tests in one pod.
    #[serde(deserialize_with = "units::read_duration")]
    pub app_timeout: Option<Seconds>,
    /// Time limit of a run.
    #[serde(deserialize_with = "units::read_duration")]
    pub timeout: Option<Seconds>,
    /// Stop once this many tests are red.
    pub max_failures: Option<u32>,
    /// Memory of one pod in bytes, such as `"2g"`.
    #[serde(deserialize_with = "units::read_bytes")]
    pub memory: Option<u64>,
    /// Processes and threads of one pod.
    pub processes: Option<u32>,
    /// Processors of one pod, such as `1.5`.
    pub cpus: Option<f64>,
    /// Globs of files that are taken out of pods: below the project's root or `WORKSPACE`, or
    /// absolute.
    pub artifacts: Vec<String>,
    /// Bytes of one such file, such as `"50m"`; what is beyond is cut off.
    #[serde(deserialize_with = "units::read_bytes")]
    pub artifact_limit: Option<u64>,
    /// Of which tests the report shows what they printed.
    pub show_output: Option<ShowOutput>,
    /// Whether every pod sets its databases up anew, also where kept ones fit.
    pub fresh_db: bool,
    /// What the names of test databases begin with; else Django's own `test_`.
    pub db_prefix: Option<String>,
    /// What apps have to themselves: a pod, or a process forked in their slot's pod.
    pub isolation: Option<Isolation>,
    /// Docker Engine to use: `unix:///path` or `tcp://127.0.0.1:port`.
    pub docker_host: Option<String>,
}

/// Of which tests a report shows what they printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ShowOutput {
    /// Of all.
    All,
    /// Of those that went wrong.
    #[default]
    Failed,
    /// Of none.
    None,
}

/// What pods are made of, as a user chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Runtime {
    /// Containers where a Docker Engine answers, else processes.
    #[default]
    Auto,
    /// Containers.
    Docker,
    /// Processes on this host.
    Process,
}
