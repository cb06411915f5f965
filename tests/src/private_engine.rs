//! A Docker Engine of a test's own: with its own images, and gone with the test.
//!
//! It lives in namespaces of its own, because an engine without a bridge removes the one that it
//! finds, and because its mounts are to go with it. So it takes root.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::program::output;
use crate::wait::{become_true, until};

/// How long an engine may take to answer, and to end.
const LIMIT: Duration = Duration::from_secs(30);

/// An engine; it ends when this is dropped.
#[derive(Debug)]
pub struct PrivateEngine {
    folder: TempDir,
    daemon: Child,
    has_disk: bool,
}

impl PrivateEngine {
    /// Starts an engine without images.
    ///
    /// # Panics
    /// When this host has no `dockerd`, this user is not root, or it does not answer.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self::start_in(folder(), false)
    }

    /// Starts an engine without images that has a disk of its own, of this many MiB.
    ///
    /// # Panics
    /// As [`Self::start`], and when no disk can be made.
    #[must_use]
    #[track_caller]
    pub fn start_on_disk(megabytes: u64) -> Self {
        let folder = folder();
        let (disk, data) = (folder.path().join("disk"), folder.path().join("data"));
        let file = File::create_new(&disk).expect("files can be written");
        file.set_len(megabytes << 20).expect("files can have holes");
        fs::create_dir(&data).expect("the folder is new");
        output(Command::new("mkfs.ext4").args(["-q", "-m", "0"]).arg(&disk));
        output(Command::new("mount").args(["-o", "loop"]).args([&disk, &data]));
        Self::start_in(folder, true)
    }

    #[track_caller]
    fn start_in(folder: TempDir, has_disk: bool) -> Self {
        let path = |name: &str| folder.path().join(name);
        fs::write(path("daemon.json"), "{}").expect("files can be written");
        let log = || File::options().append(true).create(true).open(path("log"));
        let mut command = Command::new("setpriv");
        // Whatever becomes of the test, its engine goes.
        command.args(["--pdeathsig", "TERM", "unshare", "--net", "--mount", "dockerd"]);
        command.args(["--bridge", "none", "--iptables=false", "--config-file"]);
        command.arg(path("daemon.json")).arg("--data-root").arg(path("data"));
        command.arg("--exec-root").arg(path("exec")).arg("--pidfile").arg(path("pid"));
        command.arg("--host").arg(format!("unix://{}", path("docker.sock").display()));
        command.stdout(log().expect("files can be written"));
        command.stderr(log().expect("files can be written"));
        let daemon = command.spawn().expect("util-linux is installed");
        let engine = Self { folder, daemon, has_disk };
        let answers = become_true(LIMIT, || {
            let asked =
                Command::new("docker").args(["--host", &engine.address(), "version"]).output();
            asked.is_ok_and(|answer| answer.status.success()).then_some(())
        });
        assert!(
            answers.is_some(),
            "no private engine (it takes root and dockerd): {}",
            engine.log()
        );
        engine
    }

    /// Its address, as programs are told it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix://{}", self.path("docker.sock").display())
    }

    /// What a command of `docker` prints about it.
    #[track_caller]
    pub fn docker(&self, arguments: &[&str]) -> String {
        output(Command::new("docker").args(["--host", &self.address()]).args(arguments))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of the engine at {}\n{}", self.address(), self.log());
        }
        // One that has ended needs no signal. It ends what it has started.
        let _ = kill_process(Pid::from_child(&self.daemon), Signal::TERM);
        if become_true(LIMIT, || self.daemon.try_wait().ok().flatten()).is_none() {
            let _ = self.daemon.kill();
            let _ = self.daemon.wait();
        }
        if self.has_disk {
            let unmounted = Command::new("umount").arg(self.path("data")).status();
            if !unmounted.is_ok_and(|status| status.success()) {
                eprintln!("the disk of the engine at {} stays mounted", self.address());
            }
        }
    }
}

/// A folder for an engine, short because the path of a socket has to be.
fn folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("engine-").tempdir();
    folder.expect("there is room for temporary files")
}

/// What an engine says has happened to an image, from when this is made.
#[derive(Debug)]
pub struct Events {
    child: Child,
    path: PathBuf,
}

impl Events {
    /// Listens for an action on images of this host's engine, such as `save`.
    ///
    /// # Panics
    /// When there is no engine.
    #[must_use]
    pub fn of_images(action: &str, path: PathBuf) -> Self {
        let file = File::create_new(&path).expect("files can be written");
        let mut command = Command::new("docker");
        command.args(["events", "--format", "{{.Actor.ID}}", "--filter", "type=image"]);
        command.args(["--filter", &format!("event={action}")]).stdout(file);
        Self { child: command.spawn().expect("docker is installed"), path }
    }

    /// How often it happened to an image.
    #[must_use]
    pub fn count(&self, image: &str) -> usize {
        let text = fs::read_to_string(&self.path).unwrap_or_default();
        text.lines().filter(|line| *line == image).count()
    }

    /// Waits until it has happened to an image.
    #[track_caller]
    pub fn until(&self, image: &str) {
        until("an event of an image", LIMIT, || (self.count(image) > 0).then_some(()));
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // It goes on for as long as nobody ends it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
