//! A project on disk, and the builder's binary run on it.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod engine;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use muletrain_proto::snapshot::Snapshot;
use tempfile::TempDir;

/// A project, its cache, and the variables its builds get.
pub(crate) struct Project {
    folder: TempDir,
    cache: TempDir,
    pub(crate) variables: Vec<(String, String)>,
}

/// What a build gave.
pub(crate) struct Built {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    /// A project of one app, whose Django is a file of its own: nothing is downloaded for it.
    pub(crate) fn new(configuration: &str) -> Self {
        let project = Self {
            folder: TempDir::with_prefix("muletrain-project-").unwrap(),
            cache: TempDir::new().unwrap(),
            variables: Vec::new(),
        };
        project.write("manage.py", "");
        project.write("shop/__init__.py", "");
        project.write("shop/models.py", "");
        project.write("shop/tests.py", "");
        project.write("django/__init__.py", "");
        project.write("muletrain.toml", configuration);
        project.git(&["init", "-q", "-b", "main"]);
        project.git(&["add", "-A"]);
        project.git(&["commit", "-q", "-m", "x"]);
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn name(&self) -> String {
        self.path().file_name().unwrap().to_string_lossy().into_owned()
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.cache.path().to_owned()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path().join(path)).unwrap();
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
        let mut git = Command::new("git");
        let status = git.current_dir(self.path()).args(identity).args(arguments).status().unwrap();
        assert!(status.success(), "git {arguments:?}");
    }

    /// The builder's command, with nothing of the caller's settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muletrain-builder"));
        command.arg("build").arg(self.path()).arg("--cache").arg(self.cache.path());
        command.args(arguments).stdin(Stdio::null());
        command.env_remove("VIRTUAL_ENV").env_remove("MULETRAIN_RUNTIME");
        command.envs(self.variables.iter().cloned());
        command
    }

    pub(crate) fn build(&self, arguments: &[&str]) -> Built {
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        Built {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }
}

impl Built {
    /// The snapshot of a build that must have succeeded.
    pub(crate) fn snapshot(&self) -> Snapshot {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        assert_eq!(self.stdout.lines().count(), 1);
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// The message of a build that must have failed like this.
    pub(crate) fn error(&self, code: i32) -> String {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{}", self.stderr);
        let start = self.stderr.find("error: ").expect("an error is shown");
        self.stderr[start..].to_owned()
    }
}

/// Asks until the answer is yes; fails after a minute.
pub(crate) fn eventually(what: &str, mut ask: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !ask() {
        assert!(Instant::now() < deadline, "not within a minute: {what}");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}
