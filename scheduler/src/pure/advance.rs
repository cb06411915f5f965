//! What follows from the state alone: who is lost, what stops, what is leased next, what is over.
//!
//! The engine calls [`advance`] after every input, and again until nothing follows. Each call draws
//! one kind of consequence, so that the next call sees what it changed.

use std::time::Duration;

use muletrain_proto::id::{AgentId, Epoch, LeaseId, LeaseKey, SuiteName, TestId};
use muletrain_proto::journal::Record;
use muletrain_proto::lease::{Grant, Lease, Place, Work};
use muletrain_proto::link::ToAgent;
use muletrain_proto::run::Stop;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use super::Moment;
use super::around::Ahead;
use super::batch;
use super::decide::{can_take, leave, lose};
use super::fleet::{self, Agent, LEASE_TIME};
use super::held::Held;
use super::run::{LOST_LIMIT, Run};
use super::state::{Change, Effect, State, Step};
use super::work;

/// How long an agent may take to end a revoked lease, in milliseconds.
const REVOKE_TIME: Moment = 7_000;

/// How long a pod has to say itself what it was at when the time of the run was up, in
/// milliseconds: it has the stacks.
const OVERRUN_GRACE: Moment = 2_000;

/// How long work waits for an agent that can take it, in milliseconds.
const AGENT_WAIT: Moment = 60_000;

/// What follows from the state alone; empty when nothing does.
#[must_use]
pub fn advance(state: &State, now: Moment) -> Step {
    let mut step = Step::default();
    let rules = [
        lose_silent_agents,
        stop_runs,
        end_stopped,
        settle_broken,
        close_runs,
        grant_more,
        hand_out,
    ];
    for rule in rules {
        rule(state, now, &mut step);
        if !step.is_empty() {
            break;
        }
    }
    step
}

/// Agents that were silent for too long lose their leases, and so do those that never came back.
fn lose_silent_agents(state: &State, now: Moment, step: &mut Step) {
    for (id, agent) in state.fleet.iter().filter(|(_, agent)| agent.is_lost(now)) {
        let reason = match agent.connection {
            Some(_) => "nothing was heard from it for 15 seconds",
            None => "its connection broke and it did not come back within 15 seconds",
        };
        leave(state, now, step, id, reason);
    }
    for run in state.runs.values() {
        let gone = |agent: &AgentId| state.fleet.get(agent).is_none() && now > LEASE_TIME;
        for held in run.leases.values().filter(|held| gone(&held.place.agent)) {
            lose(run, held, step, "its agent did not come back");
        }
    }
}

/// Runs that shall end before their work is done.
fn stop_runs(state: &State, now: Moment, step: &mut Step) {
    for run in state.runs.values().filter(|run| run.stop.is_none() && !run.closed) {
        if let Some(stop) = reason_to_stop(state, now, run) {
            step.record(&run.id, Record::Stopping { stop });
        }
    }
}

fn reason_to_stop(state: &State, now: Moment, run: &Run) -> Option<Stop> {
    if let Some(reason) = &run.setup_failed {
        return Some(Stop::SetupFailed { reason: reason.clone() });
    }
    if let Some(hook) = run.options.hooks.failed() {
        let reason = format!("`{}` {}", hook.command, hook.how());
        return Some(Stop::SetupFailed { reason });
    }
    if run.is_unbootable() {
        return Some(Stop::CannotBoot);
    }
    if run.options.max_failures.is_some_and(|limit| run.ledger.red() >= limit.max(1)) {
        return Some(Stop::FailureLimit { failures: run.ledger.red() });
    }
    if let Some(limit) = run.options.timeout
        && (run.is_overdue || time_left(run, limit, now) == Seconds::ZERO)
    {
        return Some(Stop::Timeout { limit });
    }
    if run.lost_collections >= LOST_LIMIT {
        let reason = format!("the tests could not be collected in {LOST_LIMIT} attempts");
        return Some(Stop::Infrastructure { reason });
    }
    if run.inventory_known() && run.ledger.is_empty() && run.unbootable.is_empty() {
        return Some(Stop::NothingSelected { reason: nothing_selected(run) });
    }
    no_agent(state, now, run)
}

fn nothing_selected(run: &Run) -> String {
    if !run.notes.is_empty() {
        return run.notes.join("; ");
    }
    let is_everything =
        run.suites().all(|suite| run.options.selection_of(&suite.name).is_everything());
    let labels: Vec<&str> = run.options.all_labels().collect();
    match (labels.is_empty(), is_everything) {
        (true, true) => "the project has no tests".to_owned(),
        (false, true) => format!("there are no tests in {}", labels.join(", ")),
        (_, false) => "the selection leaves no test; check --include, --exclude, --tag, \
                       --exclude-tag and -k"
            .to_owned(),
    }
}

fn no_agent(state: &State, now: Moment, run: &Run) -> Option<Stop> {
    let content = &run.snapshot.content;
    let since = run.opened.max(run.lease_changed).max(state.fleet.changed);
    let waiting = run.leases.is_empty() && now.saturating_sub(since) > AGENT_WAIT;
    if !waiting || state.fleet.slots_for(content) > 0 {
        return None;
    }
    let others = state
        .fleet
        .iter()
        .map(|(id, agent)| format!("{id} ({} on {})", agent.hello.runtime, agent.hello.platform));
    let others: Vec<String> = others.collect();
    let reason = match others.is_empty() {
        true => "no agent is connected; start one with `muletrain-agent run`".to_owned(),
        false => format!("no connected agent can run this snapshot: {}", others.join(", ")),
    };
    Some(Stop::Infrastructure { reason })
}

/// How much of its time a run has left.
fn time_left(run: &Run, limit: Seconds, now: Moment) -> Seconds {
    let spent = Duration::from_millis(now.saturating_sub(run.opened));
    limit.duration().saturating_sub(spent).into()
}

/// Whether a pod may still say itself what it was at when the time of the run was up.
fn may_tell(run: &Run, held: &Held, now: Moment) -> bool {
    matches!(run.stop, Some(Stop::Timeout { .. }))
        && held.tells_of_overrun()
        && now.saturating_sub(run.stopped) < OVERRUN_GRACE
}

/// What a pod was at that did not say so itself.
fn settle_overrun(run: &Run, held: &Held, step: &mut Step) {
    let Some(test) = &held.running else { return };
    let record = Record::Settled {
        test: test.clone(),
        r#try: held.granted_try(test),
        verdict: Verdict::TimedOut,
        reason: "it was running when the time of the run was up".to_owned(),
        lease: Some(held.lease.key.lease),
        lost: false,
    };
    step.record(&run.id, record);
}

/// Leases of a stopping run are asked back, and given up where the agent does not answer.
fn end_stopped(state: &State, now: Moment, step: &mut Step) {
    for run in state.runs.values().filter(|run| run.stop.is_some()) {
        for (id, held) in &run.leases {
            match held.revoked {
                None if may_tell(run, held, now) => {}
                None => {
                    if matches!(run.stop, Some(Stop::Timeout { .. })) {
                        settle_overrun(run, held, step);
                    }
                    let (lease, reason) =
                        (held.lease.key.clone(), "the run is stopping".to_owned());
                    step.changes.push(Change::Revoked(run.id.clone(), *id));
                    step.send(&held.place.agent, ToAgent::Revoke { lease, reason });
                }
                Some(asked) if now.saturating_sub(asked) > REVOKE_TIME => {
                    lose(run, held, step, "its agent did not end it in time");
                }
                Some(_) => {}
            }
        }
    }
}

/// Tests that will not run any more get their reason.
fn settle_broken(state: &State, _now: Moment, step: &mut Step) {
    for run in state.runs.values() {
        let live = run.live_apps();
        let broken = run.apps.iter().filter(|(app, _)| !live.contains(app));
        for (app, state) in broken {
            let Some(broken) = &state.broken else { continue };
            for (test, account) in run.ledger.open_tests(app) {
                step.record(
                    &run.id,
                    not_run(test, account.unjudged_try(), &broken.reason, broken.lost),
                );
            }
        }
        if let Some(stop) = run.stop.as_ref().filter(|_| run.leases.is_empty()) {
            let reason = stop_reason(stop);
            for (test, account) in run.ledger.all_open() {
                step.record(&run.id, not_run(test, account.unjudged_try(), &reason, false));
            }
        }
    }
}

fn not_run(test: &TestId, r#try: u32, reason: &str, lost: bool) -> Record {
    Record::Settled {
        test: test.clone(),
        r#try,
        verdict: Verdict::NotRun,
        reason: reason.to_owned(),
        lease: None,
        lost,
    }
}

fn stop_reason(stop: &Stop) -> String {
    match stop {
        Stop::Interrupted => "the run was interrupted".to_owned(),
        Stop::FailureLimit { failures: 1 } => "the run stopped after the first failure".to_owned(),
        Stop::FailureLimit { failures } => format!("the run stopped after {failures} failures"),
        Stop::Timeout { limit } => format!("the run's time limit of {limit} was up"),
        Stop::CannotBoot => "the project could not be loaded".to_owned(),
        Stop::SetupFailed { reason } => format!("a setup command failed: {reason}"),
        Stop::Infrastructure { reason } | Stop::NothingSelected { reason } => reason.clone(),
    }
}

/// Runs in which nothing is left to do.
fn close_runs(state: &State, now: Moment, step: &mut Step) {
    for run in state.runs.values().filter(|run| !run.closed && run.leases.is_empty()) {
        let is_something = !run.ledger.is_empty() || !run.unbootable.is_empty();
        let done = run.inventory_known() && run.ledger.is_settled() && is_something;
        let done = done && run.around.combination(&run.options).is_none();
        if !done && run.stop.is_none() {
            continue;
        }
        match run.around.ahead(&run.options, now) {
            Ahead::TearDown => step.record(&run.id, Record::TearingDown),
            Ahead::Wait => {}
            Ahead::Nothing => close(state, run, step),
        }
    }
}

/// Ends a run for good.
pub(super) fn close(state: &State, run: &Run, step: &mut Step) {
    step.record(&run.id, Record::Closed);
    for (id, _) in state.fleet.iter().filter(|(_, a)| a.briefed.contains(&run.id)) {
        step.send(id, ToAgent::Forget(run.id.clone()));
    }
    step.effects.push(Effect::Archive(run.id.clone()));
}

/// The next tests for a pod that waits for some.
fn grant_more(state: &State, _now: Moment, step: &mut Step) {
    for run in state.runs.values().filter(|run| run.stop.is_none()) {
        let waiting = run.leases.values().find(|held| held.is_waiting());
        let Some(held) = waiting else { continue };
        let grant = batch::next(run, held);
        let key = held.lease.key.clone();
        step.record(&run.id, Record::Granted { lease: key.lease, grant: grant.clone() });
        step.send(&held.place.agent, ToAgent::Grant(key, grant));
        return;
    }
}

/// One lease, for the run that has fewest, on an agent that has room.
fn hand_out(state: &State, now: Moment, step: &mut Step) {
    let taken = state.taken(now);
    let has_room = |run: &&Run| {
        let limit = run.options.slots.map_or(usize::MAX, |slots| slots.max(1) as usize);
        run.stop.is_none() && run.leases.len() < limit
    };
    let mut runs: Vec<&Run> = state.runs.values().filter(has_room).collect();
    runs.sort_by_key(|run| run.leases.len());
    for run in runs {
        let taker = state.fleet.iter().find(|(_, agent)| can_take(agent, run));
        let Some((id, agent)) = taker else { continue };
        if let Some((work, grant)) = work::next(run, &taken) {
            lease_out(state, now, run, (id, agent), (work, grant), step);
            return;
        }
    }
}

fn lease_out(
    state: &State,
    now: Moment,
    run: &Run,
    (id, agent): (&AgentId, &Agent),
    (work, grant): (Work, Option<Grant>),
    step: &mut Step,
) {
    let number = run.lease_count + 1;
    let key = LeaseKey {
        run: run.id.clone(),
        lease: LeaseId(number),
        // Every lease is new, so its number fences it; a later version may lease one again.
        epoch: Epoch(u64::from(number)),
    };
    // Checks import what tests then find imported and fill caches that tests count queries by:
    // a pod without them gives other verdicts than a serial run.
    let checks = work.app().is_some();
    let suite = suite_of(run, &work);
    let without = work::without(run, &work);
    let limit = run.options.timeout.filter(|_| work.app().is_some());
    let time_left = limit.map(|limit| time_left(run, limit, now));
    let lease = Lease { key: key.clone(), work, checks, suite, without, time_left };
    let place = Place { agent: id.clone(), slot: free_slot(state, id) };
    if !agent.briefed.contains(&run.id) {
        step.effects.push(Effect::Brief(id.clone(), run.id.clone()));
    }
    step.send(id, ToAgent::Lease(lease.clone()));
    if let Some(grant) = &grant {
        step.send(id, ToAgent::Grant(key, grant.clone()));
    }
    step.record(&run.id, Record::Leased { lease, grant, place });
    step.fleet(fleet::Change::Spent { agent: id.clone(), run: run.id.clone() });
}

fn suite_of(run: &Run, work: &Work) -> SuiteName {
    let suite = match work.app() {
        Some(app) => run.snapshot.suite_of(app),
        None => run.uncollected(),
    };
    suite.map(|suite| suite.name.clone()).unwrap_or_default()
}

fn free_slot(state: &State, agent: &AgentId) -> u32 {
    let held = state.runs.values().flat_map(|run| run.leases.values());
    let taken: Vec<u32> =
        held.filter(|held| held.place.agent == *agent).map(|held| held.place.slot).collect();
    (0..).find(|slot| !taken.contains(slot)).unwrap_or_default()
}
