//! One flow: a project in a folder of its own, the programs that work on it, and all that they
//! leave behind anywhere.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use muletrain_proto::id::RunId;
use tempfile::TempDir;

use crate::engine::containers;
use crate::journal::Journal;
use crate::program::{Running, binary, target_folder};
use crate::project;
use crate::wait::become_true;

/// A project in a folder of its own, and the programs that work on it.
#[derive(Debug)]
pub struct Flow {
    folder: TempDir,
    /// The project's folder.
    pub project: PathBuf,
}

/// A folder that outlives the tests, beside what cargo builds.
pub(crate) fn kept(name: &str) -> PathBuf {
    target_folder().with_file_name("tmp").join("flow").join(name)
}

impl Flow {
    /// A flow with a copy of a sample project.
    #[must_use]
    pub fn sample(name: &str) -> Self {
        let flow = Self::empty();
        project::copy_sample(name, &flow.project);
        flow
    }

    /// A flow with a small project of these files.
    #[must_use]
    pub fn small(files: &[(&str, &str)]) -> Self {
        let flow = Self::empty();
        project::small(files, &flow.project);
        flow
    }

    /// A flow without a project.
    ///
    /// # Panics
    /// When there is no room for it.
    #[must_use]
    pub fn empty() -> Self {
        let folder = tempfile::Builder::new().prefix("flow-").tempdir();
        let folder = folder.expect("there is room for temporary files");
        // Links would hide which processes work here.
        let root = folder.path().canonicalize().expect("it was made just now");
        for part in ["tmp", "state", "output"] {
            fs::create_dir(root.join(part)).expect("the folder is new");
        }
        // The name of the project is the flow's own too, so that what carries it is found.
        let project = root.join(root.file_name().unwrap_or(OsStr::new("project")));
        Self { folder, project }
    }

    /// A path in the flow's folder, outside of the project.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One of the binaries, with an environment that leads into this flow's folder alone. What
    /// is expensive to make is shared by all flows.
    #[must_use]
    pub fn command(&self, name: &str) -> Command {
        self.command_of(&binary(name))
    }

    /// The same, of a binary elsewhere.
    #[must_use]
    pub fn command_of(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MULETRAIN_") {
                command.env_remove(&name);
            }
        }
        command
            .current_dir(self.folder.path())
            .env("MULETRAIN_CACHE", kept("cache"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("TMPDIR", self.path("tmp"));
        command
    }

    /// Starts a command made by [`Flow::command`].
    #[must_use]
    pub fn start(&self, command: &mut Command) -> Running {
        Running::start(command, &self.path("output"))
    }

    /// A command that runs the project's tests in a runtime, with JUnit.
    #[must_use]
    pub fn run_command(&self, runtime: &str, arguments: &[&str]) -> Command {
        let mut command = self.command("muletrain-scheduler");
        command.arg("run").arg(&self.project).args(arguments);
        command.args(["--runtime", runtime, "--slots", "2", "--junit"]).arg(self.junit());
        command
    }

    /// Starts to run the project's tests.
    #[must_use]
    pub fn run(&self, runtime: &str, arguments: &[&str]) -> Running {
        self.start(&mut self.run_command(runtime, arguments))
    }

    /// Where a run leaves its JUnit report.
    #[must_use]
    pub fn junit(&self) -> PathBuf {
        self.path("junit.xml")
    }

    /// Folders of the runs of this project, the oldest first.
    #[must_use]
    pub fn runs(&self) -> Vec<PathBuf> {
        stored_runs(&self.project.join(".muletrain/runs"))
    }

    /// The journal of the newest run, as far as it is written.
    #[must_use]
    pub fn journal(&self) -> Option<Journal> {
        Journal::read(self.runs().last()?)
    }

    /// What is alive of this flow: processes by what their command line, environment or folder
    /// names, containers by their labels.
    #[must_use]
    pub fn alive(&self) -> Vec<String> {
        let journals = self.runs().into_iter().filter_map(|run| Journal::read(&run));
        let agents = journals.flat_map(|journal| journal.agents());
        let pods = agents.flat_map(|agent| containers("muletrain.agent", &agent));
        let name = self.project.file_name().unwrap_or_default().to_string_lossy();
        let build = containers("muletrain.project", &name);
        let containers = pods.chain(build).map(|id| format!("container {id}"));
        containers.chain(processes_naming(self.folder.path())).collect()
    }

    /// Waits until nothing of this flow is alive.
    ///
    /// # Panics
    /// When something is after the limit.
    #[track_caller]
    pub fn is_gone(&self, limit: Duration) {
        let mut alive = vec![];
        let gone = become_true(limit, || {
            alive = self.alive();
            alive.is_empty().then_some(())
        });
        assert!(gone.is_some(), "left after {limit:?}: {alive:#?}");
    }

    /// Waits until nothing of this flow is alive, and says that no temporary files are left, nor
    /// any of an agent.
    ///
    /// # Panics
    /// When something is left.
    #[track_caller]
    pub fn is_left_clean(&self, limit: Duration) {
        self.is_gone(limit);
        let left: Vec<PathBuf> =
            ["tmp", "state"].map(|part| files_below(&self.path(part))).concat();
        assert!(left.is_empty(), "left behind: {left:#?}");
    }
}

/// Every file in a folder, at any depth.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let below = entries.flat_map(|entry| match entry.path() {
        path if path.is_dir() => files_below(&path),
        path => vec![path],
    });
    below.collect()
}

/// Folders of the runs in a folder, the oldest first.
#[must_use]
pub fn stored_runs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_run = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        RunId::new(name).is_ok()
    };
    let mut runs: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_run).collect();
    runs.sort();
    runs
}

/// Every other process that has to do with a folder, as far as this user may see.
fn processes_naming(folder: &Path) -> Vec<String> {
    let wanted = folder.as_os_str().as_encoded_bytes();
    let names = |text: &[u8]| text.windows(wanted.len()).any(|part| part == wanted);
    let entries = fs::read_dir("/proc").expect("this is Linux").flatten();
    let others = entries.filter(|entry| {
        let name = entry.file_name();
        let id: Option<u32> = name.to_str().and_then(|name| name.parse().ok());
        id.is_some_and(|id| id != std::process::id())
    });
    let named = others.filter_map(|entry| {
        let read = |part: &str| fs::read(entry.path().join(part)).unwrap_or_default();
        let place = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let command = read("cmdline");
        let found = names(&command)
            || names(&read("environ"))
            || names(place.as_os_str().as_encoded_bytes());
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        found.then(|| format!("process {} {command}", entry.file_name().to_string_lossy()))
    });
    named.collect()
}
