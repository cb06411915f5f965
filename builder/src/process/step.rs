//! A command of the project, run on this host to its end.

use std::ffi::OsString;
use std::io::{self, Seek, Write};
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::Error;

/// The value of `PATH` for which an environment is active.
pub(super) fn path(environment: &Path) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut paths = environment.join("bin").into_os_string();
    paths.push(":");
    paths.push(path);
    paths
}

/// Runs a command in a folder by a shell; shows its log where it fails.
pub(super) async fn run(
    shell: &mut Command,
    command: &str,
    folder: &Path,
) -> Result<ExitStatus, Error> {
    let failed = |source| Error::Cache { path: folder.to_owned(), source };
    // One file for both streams keeps their order.
    let mut log = tempfile::tempfile().map_err(failed)?;
    let output = || log.try_clone().map(Stdio::from).map_err(failed);
    let mut child = shell
        .args(["-euc", command])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(output()?)
        .stderr(output()?)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let group = Group::of(&child);
    let status = child.wait().await.map_err(failed)?;
    group.ended();
    if !status.success() {
        log.rewind().map_err(failed)?;
        io::copy(&mut log, &mut io::stderr()).map_err(failed)?;
        let _ = io::stderr().flush();
    }
    Ok(status)
}

/// The processes that a command started, its own included, unless they left its group; killed
/// when this is dropped before the command has ended.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(id.cast_signed())))
    }

    /// Its number may belong to others from now on.
    fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // They may have ended just now.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}
