//! What the end of a pod means: whose fault it was, in words.

use muletrain_proto::id::TestId;
use muletrain_proto::outcome::{Death, Ending, Output};

use crate::pure::harness::Exited;

/// `SIGKILL`: what the kernel sends when memory runs out, and what everyone else may send.
const KILL: i32 = 9;

/// How the process that ran the tests ended, as the runtime saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// It ended while host and engine were well.
    Process {
        /// Exit status; of a container, 128 and more may stand for a signal.
        status: Option<i32>,
        /// Signal.
        signal: Option<i32>,
        /// The kernel killed a process of the pod because its memory limit was reached.
        out_of_memory: bool,
        /// The end of its standard error.
        stderr: String,
    },
    /// Something the tests are not to blame for took it away.
    Lost {
        /// What happened and what to do.
        reason: String,
    },
}

/// What is known when a pod is over without its sentinel.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What the supervisor said of the worker's end, if it could.
    pub exited: Option<&'a Exited>,
    /// How the pod's process ended.
    pub exit: &'a Exit,
    /// The test that was running.
    pub running: Option<&'a TestId>,
    /// The memory limit of the pod, where it has one.
    pub memory_limit: Option<u64>,
}

/// Decides whether the tests or the surroundings ended a pod.
///
/// A worker that the supervisor saw die died by its own doing; only a `SIGKILL` in a pod that was
/// lost as a whole may have come from outside, as when an engine that stops kills everything.
#[must_use]
pub fn ending(evidence: Evidence<'_>) -> Ending {
    let (out_of_memory, stderr) = match (evidence.exit, evidence.exited) {
        (Exit::Lost { reason }, None | Some(Exited { signal: Some(KILL), .. })) => {
            return Ending::Infrastructure { reason: reason.clone() };
        }
        (Exit::Lost { .. }, Some(_)) => (false, String::new()),
        (Exit::Process { out_of_memory, stderr, .. }, _) => (*out_of_memory, stderr.clone()),
    };
    let (status, signal) = cause(evidence.exited, evidence.exit);
    let memory_limit = evidence.memory_limit.filter(|_| out_of_memory && signal == Some(KILL));
    let running = evidence.exited.and_then(|exited| exited.running.as_ref()).or(evidence.running);
    Ending::Crashed(Death {
        running: running.cloned(),
        status,
        signal,
        memory_limit,
        reason: reason(evidence.exited.is_some(), status, signal, memory_limit),
        output: evidence.exited.map_or_else(Output::default, |exited| exited.output.clone()),
        stderr,
    })
}

/// A death by a protocol error, with whatever the process left behind.
#[must_use]
pub fn protocol_death(reason: String, running: Option<&TestId>, exit: &Exit) -> Ending {
    let stderr = match exit {
        Exit::Process { stderr, .. } => stderr.clone(),
        Exit::Lost { .. } => String::new(),
    };
    Ending::Crashed(Death {
        running: running.cloned(),
        status: None,
        signal: None,
        memory_limit: None,
        reason,
        output: Output::default(),
        stderr,
    })
}

/// Status and signal of the worker, else of the process around it.
fn cause(exited: Option<&Exited>, exit: &Exit) -> (Option<i32>, Option<i32>) {
    match (exited, exit) {
        (Some(exited), _) => (exited.status, exited.signal),
        // An init process reports the signal that ended its child as 128 and more.
        (None, Exit::Process { status: Some(status @ 129..=192), .. }) => {
            (None, Some(status - 128))
        }
        (None, Exit::Process { status, signal, .. }) => (*status, *signal),
        (None, Exit::Lost { .. }) => (None, None),
    }
}

fn reason(
    worker: bool,
    status: Option<i32>,
    signal: Option<i32>,
    memory_limit: Option<u64>,
) -> String {
    let end = match (status, signal, memory_limit) {
        (_, _, Some(limit)) => return format!("out of memory, the limit is {}", bytes(limit)),
        (_, Some(signal), None) => match signal_name(signal) {
            Some(name) => format!("{name} (signal {signal})"),
            None => format!("signal {signal}"),
        },
        (Some(0), None, None) => "exit with status 0 before the tests were through".to_owned(),
        (Some(status), None, None) => format!("exit with status {status}"),
        (None, None, None) => "an end without status or signal".to_owned(),
    };
    match worker {
        true => end,
        false => format!("{end}, of the whole pod"),
    }
}

fn bytes(number: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    UNITS.iter().find(|(unit, _)| number >= *unit && number.is_multiple_of(*unit)).map_or_else(
        || format!("{number} bytes"),
        |(unit, name)| format!("{} {name}", number / unit),
    )
}

fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        6 => "abort",
        8 => "arithmetic error",
        KILL => "killed",
        11 => "segmentation fault",
        13 => "broken pipe",
        14 => "alarm",
        15 => "terminated",
        24 => "processor time limit",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: u64 = 512 << 20;

    fn process(status: Option<i32>, signal: Option<i32>, out_of_memory: bool) -> Exit {
        Exit::Process { status, signal, out_of_memory, stderr: String::new() }
    }

    fn lost() -> Exit {
        Exit::Lost { reason: "the engine went away".to_owned() }
    }

    fn exited(status: Option<i32>, signal: Option<i32>) -> Exited {
        let running = Some(TestId::new("a.B.c").unwrap());
        Exited { status, signal, running, output: Output::default() }
    }

    /// The ending in one line: who is to blame, and the reason.
    fn judge(exited: Option<&Exited>, exit: &Exit) -> String {
        let evidence = Evidence { exited, exit, running: None, memory_limit: Some(LIMIT) };
        match ending(evidence) {
            Ending::Crashed(death) => format!("crashed: {}", death.reason),
            Ending::Infrastructure { reason } => format!("infrastructure: {reason}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn whose_fault_it_was() {
        let cases = [
            judge(Some(&exited(None, Some(11))), &process(Some(0), None, false)),
            judge(Some(&exited(Some(0), None)), &process(Some(0), None, false)),
            judge(Some(&exited(Some(3), None)), &process(Some(0), None, false)),
            judge(Some(&exited(None, Some(9))), &process(Some(0), None, false)),
            judge(Some(&exited(None, Some(9))), &process(Some(0), None, true)),
            judge(Some(&exited(Some(7), None)), &process(Some(0), None, true)),
            judge(Some(&exited(None, Some(9))), &lost()),
            judge(Some(&exited(None, Some(11))), &lost()),
            judge(None, &lost()),
            judge(None, &process(Some(137), None, false)),
            judge(None, &process(Some(137), None, true)),
            judge(None, &process(None, Some(9), false)),
            judge(None, &process(Some(0), None, false)),
            judge(None, &process(Some(127), None, false)),
        ];
        insta::assert_snapshot!(cases.join("\n"), @r"
        crashed: segmentation fault (signal 11)
        crashed: exit with status 0 before the tests were through
        crashed: exit with status 3
        crashed: killed (signal 9)
        crashed: out of memory, the limit is 512 MiB
        crashed: exit with status 7
        infrastructure: the engine went away
        crashed: segmentation fault (signal 11)
        infrastructure: the engine went away
        crashed: killed (signal 9), of the whole pod
        crashed: out of memory, the limit is 512 MiB
        crashed: killed (signal 9), of the whole pod
        crashed: exit with status 0 before the tests were through, of the whole pod
        crashed: exit with status 127, of the whole pod
        ");
    }

    #[test]
    fn the_running_test_is_named_even_where_only_the_agent_knows_it() {
        let running = TestId::new("a.B.c").unwrap();
        let exit = process(Some(137), None, false);
        let evidence =
            Evidence { exited: None, exit: &exit, running: Some(&running), memory_limit: None };
        let Ending::Crashed(death) = ending(evidence) else { panic!() };
        assert_eq!(death.running, Some(running));
    }
}
