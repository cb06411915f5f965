//! A Docker Engine of a test's own: with its own images, and gone with the test.
//!
//! It lives in namespaces of its own, because an engine without a bridge removes the one that it
//! finds, and because its mounts and all that it started are to go with it. So it takes root.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
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
    /// What waits for the daemon.
    namespaces: Child,
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
        fs::write(folder.path().join("daemon.json"), "{}").expect("files can be written");
        let namespaces = spawn(folder.path());
        let engine = Self { folder, namespaces, has_disk };
        engine.answers();
        engine
    }

    #[track_caller]
    fn answers(&self) {
        let answers = become_true(LIMIT, || {
            let asked =
                Command::new("docker").args(["--host", &self.address(), "version"]).output();
            asked.is_ok_and(|answer| answer.status.success()).then_some(())
        });
        assert!(answers.is_some(), "no private engine (it takes root and dockerd): {}", self.log());
    }

    /// Ends it and all that it started, at once, as where its host loses power.
    ///
    /// # Panics
    /// When it has ended already.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.namespaces.wait().expect("it is a child");
    }

    /// Starts it again with the images and containers that it had.
    ///
    /// # Panics
    /// As [`Self::start`].
    #[track_caller]
    pub fn start_again(&mut self) {
        // What a host has in memory alone, with the ids of processes that are others by now.
        for gone in ["exec", "pid", "docker.sock"].map(|name| self.path(name)) {
            let _ = fs::remove_dir_all(&gone).or_else(|_| fs::remove_file(&gone));
        }
        self.namespaces = spawn(self.folder.path());
        self.answers();
    }

    /// Sends the daemon a signal, which is the first process of its namespaces.
    fn signal(&self, signal: Signal) {
        let id = self.namespaces.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let daemon = children.ok().and_then(|text| text.split(' ').next()?.parse().ok());
        // One that has ended needs no signal.
        if let Some(daemon) = daemon.and_then(Pid::from_raw) {
            let _ = kill_process(daemon, signal);
        }
    }

    /// Its address, as programs are told it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The socket behind that address.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.path("docker.sock")
    }

    /// The network that it reaches registries by.
    #[must_use]
    pub fn network(&self) -> PathBuf {
        format!("/proc/{}/ns/net", self.namespaces.id()).into()
    }

    /// What a command of `docker` prints about it.
    #[track_caller]
    pub fn docker(&self, arguments: &[&str]) -> String {
        output(Command::new("docker").args(["--host", &self.address()]).args(arguments))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The end of what the daemon wrote.
    fn log(&self) -> String {
        let text = fs::read_to_string(self.path("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for PrivateEngine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of the engine at {}\n{}", self.address(), self.log());
        }
        self.signal(Signal::TERM);
        if become_true(LIMIT, || self.namespaces.try_wait().ok().flatten()).is_none() {
            self.signal(Signal::KILL);
            let _ = self.namespaces.wait();
        }
        if self.has_disk {
            let unmounted = Command::new("umount").arg(self.path("data")).status();
            if !unmounted.is_ok_and(|status| status.success()) {
                eprintln!("the disk of the engine at {} stays mounted", self.address());
            }
        }
    }
}

/// Starts a daemon on what is in a folder.
fn spawn(folder: &Path) -> Child {
    let path = |name: &str| folder.join(name);
    let log = || File::options().append(true).create(true).open(path("log"));
    let mut command = Command::new("setpriv");
    // Whatever becomes of the test, its engine goes.
    command.args(["--pdeathsig", "KILL", "unshare", "--fork", "--kill-child=TERM"]);
    command.args(["--pid", "--mount-proc", "--net", "--mount", "dockerd"]);
    command.args(["--bridge", "none", "--iptables=false", "--log-level", "warn", "--config-file"]);
    command.arg(path("daemon.json")).arg("--data-root").arg(path("data"));
    command.arg("--exec-root").arg(path("exec")).arg("--pidfile").arg(path("pid"));
    command.arg("--host").arg(format!("unix://{}", path("docker.sock").display()));
    command.stdout(log().expect("files can be written"));
    command.stderr(log().expect("files can be written"));
    command.spawn().expect("util-linux is installed")
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
