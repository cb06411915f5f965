//! The timeline of runs in Chrome's trace format, which Perfetto opens: a process for each agent, a
//! thread for each slot, bars for the stages of pods and for tests.

use std::collections::BTreeMap;

use muletrain_proto::id::AgentId;
use serde::Serialize;
use serde_json::{Value, json};

use crate::pure::lease::LeaseState;
use crate::pure::summary::{Moment, Summary};

/// The timeline of these runs, one after the other from zero. Results of other tools have none:
/// clocks of different hosts are not compared.
#[must_use]
pub fn trace(summaries: &[&Summary]) -> String {
    let runs: Vec<&&Summary> = summaries.iter().filter(|summary| !summary.is_foreign()).collect();
    let agents = runs.iter().flat_map(|run| run.leases.values().map(|lease| &lease.place.agent));
    let mut processes: BTreeMap<&AgentId, usize> = agents.map(|agent| (agent, 0)).collect();
    (1..).zip(processes.values_mut()).for_each(|(number, process)| *process = number);
    let mut events: Vec<Value> = processes
        .iter()
        .map(|(agent, process)| name("process_name", *process, 0, agent.as_str()))
        .collect();
    for run in runs {
        stages(run, &processes, &mut events);
        tests(run, &processes, &mut events);
    }
    let document = json!({ "displayTimeUnit": "ms", "traceEvents": events });
    format!("{document}\n")
}

/// A bar; times are in microseconds since the run was opened.
#[derive(Serialize)]
struct Bar<'a> {
    name: &'a str,
    cat: &'a str,
    ph: &'a str,
    ts: u64,
    dur: u64,
    pid: usize,
    tid: u32,
    args: Value,
}

type Processes<'a> = BTreeMap<&'a AgentId, usize>;

fn stages(run: &Summary, processes: &Processes<'_>, events: &mut Vec<Value>) {
    for lease in run.leases.values() {
        let (pid, tid) = lane(lease, processes);
        events.push(name("thread_name", pid, tid, &format!("slot {}", lease.place.slot)));
        let ended = lease.ended.unwrap_or(run.ended);
        let about = json!({ "lease": lease.id.0, "peak_kib": lease.peak_kib });
        let (ts, dur) = (since(run, lease.leased), (ended.saturating_sub(lease.leased)) * 1000);
        events.push(bar(Bar {
            name: lease.name(),
            cat: "pod",
            ph: "X",
            ts,
            dur,
            pid,
            tid,
            args: about,
        }));
        for span in &lease.spans {
            let dur = micros(span.seconds);
            let ts = since(run, span.ended).saturating_sub(dur);
            let (name, args) = (span.stage.as_str(), json!({}));
            events.push(bar(Bar { name, cat: "stage", ph: "X", ts, dur, pid, tid, args }));
        }
    }
}

fn tests(run: &Summary, processes: &Processes<'_>, events: &mut Vec<Value>) {
    for test in &run.tests {
        for one in std::iter::once(&test.decisive).chain(&test.others) {
            let lease = one.lease.and_then(|lease| run.leases.get(&lease));
            let (Some(lease), Some(started)) = (lease, one.started) else { continue };
            let (pid, tid) = lane(lease, processes);
            let args = json!({ "verdict": one.verdict.as_str(), "try": one.number });
            let (name, ts) = (test.id.as_str(), since(run, started));
            let dur = micros(one.seconds.unwrap_or_default());
            events.push(bar(Bar { name, cat: "test", ph: "X", ts, dur, pid, tid, args }));
        }
    }
}

fn bar(bar: Bar<'_>) -> Value {
    serde_json::to_value(bar).expect("a bar is plain data")
}

fn name(kind: &str, pid: usize, tid: u32, name: &str) -> Value {
    json!({ "name": kind, "ph": "M", "pid": pid, "tid": tid, "args": { "name": name } })
}

fn lane(lease: &LeaseState, processes: &Processes<'_>) -> (usize, u32) {
    (processes.get(&lease.place.agent).copied().unwrap_or_default(), lease.place.slot + 1)
}

fn since(run: &Summary, moment: Moment) -> u64 {
    moment.saturating_sub(run.opened) * 1000
}

fn micros(seconds: muletrain_proto::seconds::Seconds) -> u64 {
    u64::try_from(seconds.duration().as_micros()).unwrap_or(u64::MAX)
}
