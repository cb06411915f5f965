//! A program that a test started: what it says, how it ends, and that it does.

use std::cell::Cell;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::wait::until;

/// How long any program of a test may take.
const LIMIT: Duration = Duration::from_secs(240);

/// The path of one of the binaries, beside which the tests were built.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let path = target_folder().join(name);
    assert!(path.exists(), "{} is not there: run cargo build --workspace first", path.display());
    path
}

/// The folder that cargo puts binaries of this profile in.
pub(crate) fn target_folder() -> PathBuf {
    let here = std::env::current_exe().expect("a test knows where it is");
    let folder = here.ancestors().nth(2).expect("cargo puts tests into a folder below");
    folder.to_owned()
}

/// A program that runs. One that is still running when this is dropped is killed.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

/// A program that has ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
}

impl Running {
    /// Starts a program; what it prints is kept in `folder`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command, folder: &Path) -> Self {
        let number = fs::read_dir(folder).expect("the folder is there").count();
        let file = |name: &str| folder.join(format!("{number}.{name}"));
        let (stdout, stderr) = (file("stdout"), file("stderr"));
        let create = |path: &Path| File::create_new(path).expect("the folder is the test's own");
        command.stdin(Stdio::null()).stdout(create(&stdout)).stderr(create(&stderr));
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, stdout, stderr }
    }

    /// What it has said so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// Waits until it says something.
    #[track_caller]
    pub fn says(&mut self, text: &str) {
        self.until(text, |running| running.stderr().contains(text).then_some(()));
    }

    /// Waits until something holds, which has to happen before the program ends.
    #[track_caller]
    pub fn until<T>(&mut self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let ended = Cell::new(false);
        let seen = until(what, LIMIT, || {
            let seen = look(self);
            if seen.is_none() && ended.get() {
                return Some(None);
            }
            // What came true just before the end is seen in one more look.
            ended.set(self.status().is_some());
            seen.map(Some)
        });
        seen.unwrap_or_else(|| panic!("ended before {what}:\n{}", self.stderr()))
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        // It may have ended just now; then there is nobody to tell.
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Waits for its end.
    #[must_use]
    #[track_caller]
    pub fn end(self) -> Ended {
        self.end_within(LIMIT)
    }

    /// Waits for its end, which has to come within a limit.
    #[must_use]
    #[track_caller]
    pub fn end_within(mut self, limit: Duration) -> Ended {
        let status = until("the end of a program", limit, || self.status());
        Ended { status, stdout: read(&self.stdout), stderr: self.stderr() }
    }

    fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it is a child of this process")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- standard error of process {}\n{}", self.child.id(), self.stderr());
        }
        // One that has ended cannot be killed, and need not.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Says that it ended with this exit code.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn expect(&self, code: i32) {
        let Self { status, stdout, stderr } = self;
        let signal = status.signal();
        assert_eq!(
            (status.code(), signal),
            (Some(code), None),
            "\n--- standard output\n{stdout}\n--- standard error\n{stderr}"
        );
    }
}

/// What is in a file that is still written to.
fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).expect("it was created with the program")).into_owned()
}

/// Runs a command that has to succeed; what it printed.
///
/// # Panics
/// When it cannot be started or fails.
#[track_caller]
pub fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
