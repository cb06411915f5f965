//! Programs that are killed where nothing can clean up after itself.

use std::time::Duration;

use muletrain_proto::event::Event;
use muletrain_proto::journal::Record;
use muletrain_proto::verdict::Verdict;
use muletrain_tests::flow::Flow;
use muletrain_tests::oracle::{self, differences};
use rustix::process::{Pid, Signal, kill_process};

use crate::junit::count_cases;
use crate::patient;

/// How long what a killed scheduler started may live on.
const LIMIT: Duration = Duration::from_secs(15);

in_both_runtimes!(a_killed_scheduler_leaves_nothing, a_killed_agent_costs_no_verdict);

fn a_killed_scheduler_leaves_nothing(runtime: &str) {
    let flow = patient::flow();
    let mut run = flow.run(runtime, &[]);
    run.until("a test that waits", |_| flow.journal().filter(patient::waits));
    run.signal(Signal::KILL);
    assert_eq!(run.end().status.code(), None);
    flow.is_gone(LIMIT);
    // What is known was reported; only the folder of its socket nobody could remove.
    assert_eq!(count_cases(&flow.junit()), 3);
}

fn a_killed_agent_costs_no_verdict(runtime: &str) {
    const APPS: [&str; 2] = ["cart", "orders"];
    let flow = Flow::sample("site");
    let mut run = flow.run(runtime, &APPS);
    let finishes = |event: &Event| matches!(event, Event::Finished(_));
    run.until("a verdict", |_| {
        flow.journal().filter(|journal| journal.events().any(|(_, event)| finishes(event)))
    });
    kill_agent(&flow);
    run.end().expect(1);
    let journal = flow.journal().expect("a run leaves its journal");
    assert_eq!(journal.agents().len(), 2, "another agent took its place");
    let left = |record: &Record| matches!(record, Record::AgentLeft { lost: true, .. });
    assert!(journal.records.iter().any(left), "{}", journal.text);
    let wanted = oracle::of_apps(oracle::site(), &APPS);
    assert_eq!(differences(&journal.verdicts(), &wanted), [""; 0]);
    assert!(journal.verdicts().values().all(|verdict| *verdict != Verdict::Crashed));
    flow.is_left_clean(LIMIT);
}

/// Kills the agent as the kernel would, and nothing that it started.
fn kill_agent(flow: &Flow) {
    let alive = flow.alive();
    let agent =
        alive.iter().find(|line| line.contains("muletrain-agent") && line.contains(" run "));
    let number = agent.and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let agent = number.and_then(Pid::from_raw).unwrap_or_else(|| panic!("no agent: {alive:#?}"));
    kill_process(agent, Signal::KILL).unwrap();
}
