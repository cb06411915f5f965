//! What an input from outside means for the state.

use std::collections::BTreeMap;

use muletrain_proto::event::Event;
use muletrain_proto::hook::Hook;
use muletrain_proto::id::{AgentId, LeaseKey, RunId, SuiteName, TestId};
use muletrain_proto::inventory::Inventory;
use muletrain_proto::journal::Record;
use muletrain_proto::link::{Hello, Report, ToAgent};
use muletrain_proto::outcome::Ending;
use muletrain_proto::plan::Estimates;
use muletrain_proto::run::{Options, Stop};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::Snapshot;
use muletrain_proto::verdict::Verdict;

use super::Moment;
use super::advance;
use super::around::Ahead;
use super::fleet::{self, Agent, Connection, HEARTBEAT};
use super::label;
use super::plan;
use super::run::{Held, Run};
use super::state::{Effect, State, Step};
use super::wanted;

/// Agents that may be lost under one test before it is held to be the cause.
const LOST_UNDER_LIMIT: u32 = 2;

/// What reaches the scheduler from outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A run was accepted.
    Submitted {
        /// The id it was given.
        run: RunId,
        /// What it tests.
        snapshot: Box<Snapshot>,
        /// What was asked for.
        options: Box<Options>,
        /// What past runs say of its apps.
        estimates: Estimates,
        /// What was collected for the same snapshot and labels before, by suite.
        remembered: BTreeMap<SuiteName, Inventory>,
    },
    /// An agent opened a stream.
    Connected(Connection, Box<Hello>),
    /// An agent has room for more leases.
    Credited(AgentId, u32),
    /// An agent lives and holds these leases.
    Beat(AgentId, Vec<LeaseKey>),
    /// Something happened in a pod.
    Reported(AgentId, Box<Report>),
    /// An agent wants no more leases.
    Draining(AgentId),
    /// A stream ended.
    Disconnected(Connection, AgentId),
    /// A run shall end now.
    Stop(RunId, Stop),
    /// Whoever handed a run in has run the commands that they had for its end.
    TornDown(RunId, Vec<Hook>),
    /// Time has passed.
    Tick,
}

/// What an input means.
#[must_use]
pub fn decide(state: &State, now: Moment, input: Input) -> Step {
    let mut step = Step::default();
    step.fleet(fleet::Change::Looked { now });
    if let Input::Credited(agent, _) | Input::Beat(agent, _) | Input::Reported(agent, _) = &input {
        step.fleet(fleet::Change::Heard { agent: agent.clone(), now });
    }
    match input {
        Input::Submitted { run, snapshot, options, estimates, remembered } => {
            submit(state, &mut step, &run, snapshot, options, estimates, remembered);
        }
        Input::Connected(connection, hello) => connect(state, now, &mut step, connection, hello),
        Input::Credited(agent, count) => step.fleet(fleet::Change::Credited { agent, count }),
        Input::Beat(agent, leases) => revoke_unknown(state, &mut step, &agent, &leases),
        Input::Reported(agent, report) => observe(state, &mut step, &agent, *report),
        Input::Draining(agent) => step.fleet(fleet::Change::Draining { agent }),
        Input::Disconnected(connection, agent) => {
            let known = state.fleet.get(&agent);
            if known.is_some_and(|agent| agent.connection == Some(connection)) {
                step.fleet(fleet::Change::CutOff { agent, now });
            }
        }
        Input::Stop(run, stop) => {
            if state.runs.get(&run).is_some_and(|run| run.stop.is_none()) {
                step.record(&run, Record::Stopping { stop });
            }
        }
        Input::TornDown(id, hooks) => {
            let waits = |run: &&Run| run.around.ahead(&run.options, now) == Ahead::Wait;
            if let Some(run) = state.runs.get(&id).filter(waits) {
                for hook in hooks {
                    step.record(&id, Record::TornDown { hook });
                }
                advance::close(state, run, &mut step);
            }
        }
        Input::Tick => {}
    }
    step
}

fn submit(
    state: &State,
    step: &mut Step,
    id: &RunId,
    snapshot: Box<Snapshot>,
    options: Box<Options>,
    estimates: Estimates,
    remembered: BTreeMap<SuiteName, Inventory>,
) {
    let mut run = Run::new(id.clone(), snapshot.clone(), options.clone(), 0);
    let slots = state.fleet.slots_for(&snapshot.content);
    let apps = label::named_apps(&run.targets, &snapshot.apps);
    let plan = plan::make(apps.into_iter(), &estimates, slots);
    step.record(id, Record::Opened { snapshot, options });
    for agent in state.fleet.iter().map(|(_, agent)| agent) {
        step.record(id, Record::AgentJoined { agent: agent.hello.clone() });
    }
    step.record(id, Record::Planned { plan });
    if estimates != Estimates::default() {
        step.record(id, Record::Estimated { estimates });
    }
    for (suite, inventory) in remembered {
        let record = wanted::select(&run, suite, inventory, true);
        run.apply(0, &record);
        step.record(id, record);
    }
}

fn connect(state: &State, now: Moment, step: &mut Step, connection: Connection, hello: Box<Hello>) {
    let agent = hello.agent.clone();
    if let Some(known) = state.fleet.get(&agent).filter(|known| known.hello.boot != hello.boot) {
        if known.connection.is_some() && !known.is_lost(now) {
            let host = &known.hello.host;
            let reason = format!("an agent called {agent} is already connected from {host}");
            step.effects.push(Effect::Refuse(connection, reason));
            return;
        }
        leave(state, now, step, &agent, "it was started anew");
    }
    let heartbeat = Seconds::from(std::time::Duration::from_millis(HEARTBEAT));
    step.send(&agent, ToAgent::Welcome { heartbeat });
    revoke_unknown(state, step, &agent, &hello.leases);
    lose_unknown(state, step, &hello);
    grant_again(state, step, &hello);
    let is_new = state.fleet.get(&agent).is_none_or(|known| known.hello.boot != hello.boot);
    for run in state.runs.values().filter(|_| is_new) {
        step.record(&run.id, Record::AgentJoined { agent: (*hello).clone() });
        let slots = state.fleet.slots_for(&run.snapshot.content).saturating_add(hello.slots);
        step.record(&run.id, Record::Planned { plan: plan::for_slots(&run.plan, slots) });
    }
    step.fleet(fleet::Change::Joined { hello, connection, now });
}

/// A grant may have been lost with the stream; one that arrives twice is taken once.
fn grant_again(state: &State, step: &mut Step, hello: &Hello) {
    for key in &hello.leases {
        let held = find(state, &hello.agent, key).and_then(|(_, held)| held.grant.clone());
        if let Some(grant) = held {
            step.send(&hello.agent, ToAgent::Grant(key.clone(), grant));
        }
    }
}

/// Forgets an agent and loses the leases it held.
pub(super) fn leave(state: &State, now: Moment, step: &mut Step, agent: &AgentId, reason: &str) {
    for run in state.runs.values() {
        let held: Vec<&Held> =
            run.leases.values().filter(|held| held.place.agent == *agent).collect();
        for held in &held {
            lose(run, held, step, &format!("agent {agent} was lost: {reason}"));
        }
        let (agent, reason, lost) = (agent.clone(), reason.to_owned(), !held.is_empty());
        step.record(&run.id, Record::AgentLeft { agent, lost, reason });
    }
    step.fleet(fleet::Change::Left { agent: agent.clone(), now });
}

/// Ends a lease without its agent's last word.
pub(super) fn lose(run: &Run, held: &Held, step: &mut Step, reason: &str) {
    settle_running(run, held, step, &Ending::Infrastructure { reason: reason.to_owned() });
    let (lease, reason) = (held.lease.key.lease, reason.to_owned());
    step.record(&run.id, Record::LeaseLost { lease, reason });
}

/// Tells an agent to let go of leases that are over, or are somebody else's.
fn revoke_unknown(state: &State, step: &mut Step, agent: &AgentId, leases: &[LeaseKey]) {
    for key in leases.iter().filter(|key| find(state, agent, key).is_none()) {
        let reason = "the lease is over".to_owned();
        step.send(agent, ToAgent::Revoke { lease: key.clone(), reason });
    }
}

/// Loses leases that their agent does not know of: it never got them.
fn lose_unknown(state: &State, step: &mut Step, hello: &Hello) {
    for run in state.runs.values() {
        let held = run.leases.values().filter(|held| {
            held.place.agent == hello.agent && !hello.leases.contains(&held.lease.key)
        });
        for held in held {
            lose(run, held, step, "its agent came back without it");
        }
    }
}

/// The lease behind a key, if this agent holds it.
fn find<'a>(state: &'a State, agent: &AgentId, key: &LeaseKey) -> Option<(&'a Run, &'a Held)> {
    let run = state.runs.get(&key.run)?;
    let held = run.leases.get(&key.lease)?;
    (held.place.agent == *agent && held.lease.key.epoch == key.epoch).then_some((run, held))
}

fn observe(state: &State, step: &mut Step, agent: &AgentId, report: Report) {
    let Report { lease: key, sequence, event } = report;
    let Some((run, held)) = find(state, agent, &key) else {
        // What an agent says of a lease it does not hold counts for nothing.
        revoke_unknown(state, step, agent, std::slice::from_ref(&key));
        step.send(agent, ToAgent::Acknowledge { lease: key, sequence });
        return;
    };
    // Sent again after a reconnect.
    if sequence > held.sequence {
        record_event(run, held, step, sequence, event);
    }
    step.send(agent, ToAgent::Acknowledge { lease: key, sequence });
}

fn record_event(run: &Run, held: &Held, step: &mut Step, sequence: u64, event: Event) {
    let lease = held.lease.key.lease;
    let mut after = None;
    let event = match event {
        Event::Collected(mut collected) if !run.collected.contains(&held.lease.suite) => {
            // The journal holds it once, as the inventory it becomes.
            let inventory = std::mem::take(&mut collected.inventory);
            let (id, suite) = (run.id.clone(), held.lease.suite.clone());
            step.effects.push(Effect::Remember(id, suite.clone(), inventory.clone()));
            after = Some(wanted::select(run, suite, inventory, false));
            Event::Collected(collected)
        }
        Event::Planned(planned) => {
            for test in planned.missing.iter().filter(|test| !is_elsewhere(run, held, test)) {
                let reason = "it was collected, but its module does not hold it when loaded again";
                settle(run, step, test, Verdict::NotRun, reason.to_owned(), held, true);
            }
            Event::Planned(planned)
        }
        Event::Ended(ending) => {
            settle_running(run, held, step, &ending);
            Event::Ended(ending)
        }
        event => event,
    };
    step.record(&run.id, Record::Observed { lease, sequence, event });
    if let Some(record) = after {
        step.record(&run.id, record);
    }
}

/// Whether another pod has a test loaded that this one misses.
fn is_elsewhere(run: &Run, held: &Held, test: &TestId) -> bool {
    let others = run.leases.values().filter(|other| other.lease.key != held.lease.key);
    let mut planned = others.filter_map(|other| other.planned.as_ref());
    planned.any(|planned| planned.contains(test))
}

/// Gives the test under which a lease ended its verdict, where the ending is one.
fn settle_running(run: &Run, held: &Held, step: &mut Step, ending: &Ending) {
    match ending {
        Ending::Crashed(death) => {
            if let Some(test) = held.running.as_ref().or(death.running.as_ref()) {
                settle(run, step, test, Verdict::Crashed, death.reason.clone(), held, false);
            }
        }
        Ending::Infrastructure { reason } => {
            let Some(test) = &held.running else { return };
            let lost = run.ledger.get(test).map_or(0, |account| account.lost_under) + 1;
            if lost >= LOST_UNDER_LIMIT {
                let reason =
                    format!("{lost} pods were lost while it ran, the last because {reason}");
                settle(run, step, test, Verdict::Crashed, reason, held, false);
            }
        }
        Ending::Closed | Ending::Failed | Ending::TimedOut | Ending::Revoked => {}
    }
}

fn settle(
    run: &Run,
    step: &mut Step,
    test: &TestId,
    verdict: Verdict,
    reason: String,
    held: &Held,
    lost: bool,
) {
    let tries = run.ledger.get(test).map_or(1, |account| account.tries.max(1));
    step.record(
        &run.id,
        Record::Settled {
            test: test.clone(),
            r#try: tries,
            verdict,
            reason,
            lease: Some(held.lease.key.lease),
            lost,
        },
    );
}

/// Whether an agent can be given work of a run now.
pub(super) fn can_take(agent: &Agent, run: &Run) -> bool {
    agent.has_room() && agent.can_run(&run.snapshot.content)
}
