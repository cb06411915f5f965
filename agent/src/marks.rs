//! Finding the host processes of a pod by the mark in their environment, wherever they moved to:
//! a process can leave its group and its session, but not what it was started with.

use rustix::process::{Pid, PidfdFlags, Signal};

use crate::pure::pod::MARK;

/// Passes made before giving up on processes that start others faster than they are found.
const PASSES: u32 = 20;

/// How a mark is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// This mark alone.
    Exact,
    /// Every mark that begins with it.
    Prefix,
}

/// Kills every process that has the mark, until none is found. Where the system has no `/proc`
/// nothing is found; process groups have to do there.
pub fn kill_all(mark: &str, how: Match) {
    let wanted = match how {
        Match::Exact => format!("{MARK}={mark}\0"),
        Match::Prefix => format!("{MARK}={mark}"),
    };
    for _ in 0..PASSES {
        if kill_pass(wanted.as_bytes()) == 0 {
            return;
        }
    }
}

/// Kills what is there now; the number of processes found alive.
fn kill_pass(wanted: &[u8]) -> usize {
    let Ok(entries) = std::fs::read_dir("/proc") else { return 0 };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(Pid::from_raw)
        .filter(|pid| *pid != rustix::process::getpid())
        .filter(|pid| kill_marked(*pid, wanted).is_some())
        .count()
}

/// The descriptor is taken before the environment is read, so that a number given to another
/// process meanwhile cannot hit that one. A process killed already has no environment to read.
fn kill_marked(pid: Pid, wanted: &[u8]) -> Option<()> {
    let descriptor = rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok()?;
    let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let starts_here =
        |start: usize| environment.get(start..).is_some_and(|rest| rest.starts_with(wanted));
    let found = starts_here(0)
        || environment.iter().enumerate().any(|(at, byte)| *byte == 0 && starts_here(at + 1));
    if !found {
        return None;
    }
    rustix::process::pidfd_send_signal(descriptor, Signal::KILL).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::*;

    /// A process whose mark can be seen, which is a moment after it was started.
    fn sleeper(mark: &str) -> std::process::Child {
        let child =
            Command::new("sleep").arg("60").env(MARK, mark).process_group(0).spawn().unwrap();
        let environment = format!("/proc/{}/environ", child.id());
        let deadline = Instant::now() + Duration::from_secs(10);
        while !std::fs::read_to_string(&environment).unwrap().contains(mark) {
            assert!(Instant::now() < deadline, "the mark of {mark} is not seen");
            std::thread::yield_now();
        }
        child
    }

    #[test]
    fn only_marked_processes_are_killed() {
        let unique = format!("marks-test-{}/", std::process::id());
        let mut marked = sleeper(&format!("{unique}a"));
        let mut longer = sleeper(&format!("{unique}ab"));
        kill_all(&format!("{unique}a"), Match::Exact);
        assert_eq!(marked.wait().unwrap().signal(), Some(9));
        assert!(longer.try_wait().unwrap().is_none());
        kill_all(&unique, Match::Prefix);
        assert_eq!(longer.wait().unwrap().signal(), Some(9));
    }
}
