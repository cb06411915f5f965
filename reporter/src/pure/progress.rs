//! A run in progress, as text: lines for a log, and the state of things for a terminal.

use muletrain_proto::id::{AppLabel, LeaseId, TestId};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use super::events::bare;
use super::fold::{Change, Fold};
use super::lease::{LeaseState, Stage};
use super::summary::{Moment, between};
use super::text::{fit, for_line, pad, plural};
use crate::pure::style::Look;

/// Pods shown at once; of more, their number.
const PODS: usize = 16;

/// Columns of the bar.
const BAR: usize = 24;

/// Columns of a pod's place, and of what it is for.
const PLACE: usize = 16;

/// Running tests that a heartbeat names.
const NAMED: usize = 3;

/// How many tests there are, have a verdict, and are red.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Tally {
    known: usize,
    told: usize,
    red: usize,
}

/// The line that a change is worth in a log, if any.
#[must_use]
pub fn line(fold: &Fold, change: &Change, look: Look) -> Option<String> {
    let text = match change {
        Change::Leased(id) => started(fold.leases.get(id)?),
        Change::Warming(agent) => {
            format!("setting up test databases once for all pods on {agent}")
        }
        Change::Warmed(agent) => {
            let time = (*fold.made.get(agent)?)?;
            format!("test databases made in {time} on {agent}")
        }
        Change::Verdict(test, number) => red_test(fold, test, *number, look)?,
        Change::Problem(index) => {
            let problem = fold.problems.get(*index)?;
            let why = problem.failures.first().map(|one| (one.exception.as_str(), &*one.message));
            red(look, problem.verdict, &problem.id, "", why)
        }
        Change::Incident(index) => {
            format!("{} {}", look.odd("!"), for_line(fold.incidents.get(*index)?))
        }
        Change::Over(id) => over(fold, *id)?,
        Change::Stopping => "stopping: no more work is handed out".to_owned(),
        Change::Closed => return None,
    };
    Some(format!("{} {text}", look.faint(&stamp(fold, fold.latest))))
}

/// A sign of life for a log in which nothing happened for a while.
#[must_use]
pub fn heartbeat(fold: &Fold, now: Moment, look: Look) -> String {
    let mut running: Vec<_> =
        open(fold).flat_map(|lease| lease.running.iter().map(move |one| (lease, one))).collect();
    running.sort_by_key(|(_, one)| one.since);
    let named = running.iter().take(NAMED).map(|(lease, one)| {
        let time = between(one.since, now);
        format!("{} on {} for {time}", for_line(one.test.as_str()), lease.place.agent)
    });
    let named: Vec<String> = named.collect();
    let mut text = format!("{} {}", look.faint(&stamp(fold, now)), counted(tally(fold, None)));
    if !named.is_empty() {
        text += &format!("; running {}", named.join(", "));
    }
    if open(fold).any(LeaseState::is_waiting) {
        text += "; setting up test databases";
    }
    text
}

/// The state of things: a bar, then each pod and what it does.
#[must_use]
pub fn state(fold: &Fold, now: Moment, look: Look) -> Vec<String> {
    let tally = tally(fold, None);
    let counts = counted(tally);
    let counts = if tally.red > 0 { look.bad(&counts) } else { counts };
    let elapsed = stamp(fold, now);
    let mut lines = match look.width > BAR + 40 {
        true => vec![format!("{elapsed} {} {counts}", look.good(&bar(fold, tally)))],
        false => vec![format!("{elapsed} {counts}")],
    };
    let mut pods: Vec<&LeaseState> = open(fold).collect();
    pods.sort_by_key(|lease| (&lease.place.agent, lease.place.slot));
    lines.extend(pods.iter().take(PODS).map(|lease| pod(lease, now, look)));
    if pods.len() > PODS {
        lines.push(format!("and {}", plural(pods.len() - PODS, "more pod")));
    }
    lines
}

fn open(fold: &Fold) -> impl Iterator<Item = &LeaseState> {
    fold.leases.values().filter(|lease| lease.is_open())
}

fn pod(lease: &LeaseState, now: Moment, look: Look) -> String {
    let place = pad(&format!("{}/{}", lease.place.agent, lease.place.slot), PLACE);
    let name = pad(&for_line(lease.name()), PLACE);
    let (since, doing) = match (lease.running.first(), lease.stage) {
        (Some(running), _) => (Some(running.since), for_line(running.test.as_str())),
        (None, _) if lease.is_waiting() => {
            (Some(lease.leased), "waiting for test databases".to_owned())
        }
        (None, Stage::Testing) => (None, Stage::Testing.as_str().to_owned()),
        (None, stage) => (Some(lease.leased), stage.as_str().to_owned()),
    };
    let time = since.map(|since| between(since, now).to_string()).unwrap_or_default();
    let count = match lease.planned {
        0 => String::new(),
        planned => format!("{}/{planned}", lease.finished),
    };
    let text = format!("{name} {count:>9} {time:>7}  {doing}");
    let room = look.width.saturating_sub(PLACE + 2);
    format!("{} {}", look.faint(&fit(&place, look.width.saturating_sub(1))), fit(&text, room))
}

/// Until the inventory is known, nobody can say how much is done.
fn bar(fold: &Fold, tally: Tally) -> String {
    let done = match (fold.collected, tally.known) {
        (false, _) | (_, 0) => 0,
        (true, known) => BAR * tally.told.min(known) / known,
    };
    format!("{}{}", "█".repeat(done), "░".repeat(BAR - done))
}

fn started(lease: &LeaseState) -> String {
    format!("{}: started on {}", for_line(lease.name()), lease.place.agent)
}

/// What an app came to, once a lease of it is over.
fn over(fold: &Fold, id: LeaseId) -> Option<String> {
    let lease = fold.leases.get(&id)?;
    let app = lease.app.as_ref()?;
    let time = between(lease.leased, fold.latest);
    let counts = counted(tally(fold, Some(app)));
    Some(format!("{}: {counts}, {time} on {}", for_line(app.as_str()), lease.place.agent))
}

fn red_test(fold: &Fold, test: &TestId, number: u32, look: Look) -> Option<String> {
    let tries = &fold.catalog.get(test)?.tries;
    let one = tries.iter().find(|one| one.number == number && one.verdict.is_red())?;
    let made_up = bare(one.verdict, "");
    let failure = one.failures.first().unwrap_or(&made_up);
    let time = one.seconds.map(|time| format!(" ({time})")).unwrap_or_default();
    let why = Some((failure.exception.as_str(), &*failure.message));
    Some(red(look, one.verdict, test.as_str(), &time, why))
}

fn red(look: Look, verdict: Verdict, id: &str, time: &str, why: Option<(&str, &str)>) -> String {
    let word = look.bad(&verdict.to_string().to_uppercase());
    let why = match why {
        Some((exception, message)) if exception.starts_with("muletrain.") => message.to_owned(),
        Some((exception, message)) => format!("{exception}: {message}"),
        None => String::new(),
    };
    let why = fit(&for_line(&why), look.width);
    let colon = if why.is_empty() { "" } else { ": " };
    format!("{word} {}{time}{colon}{why}", for_line(id))
}

fn counted(tally: Tally) -> String {
    let Tally { known, told, red } = tally;
    if known == 0 {
        return "no tests known yet".to_owned();
    }
    let red = if red > 0 { format!(", {red} red") } else { String::new() };
    format!("{told} of {}{red}", plural(known, "test"))
}

fn tally(fold: &Fold, app: Option<&AppLabel>) -> Tally {
    let mut tally = Tally::default();
    for test in fold.catalog.tests.iter().filter(|test| test.must_be_told(fold.collected)) {
        if app.is_some_and(|app| fold.catalog.classes[test.class].app != *app) {
            continue;
        }
        tally.known += 1;
        tally.told += usize::from(!test.tries.is_empty());
        tally.red += usize::from(test.tries.last().is_some_and(|one| one.verdict.is_red()));
    }
    let mine = |problem: &&super::summary::Problem| app.is_none() || problem.app.as_ref() == app;
    tally.red += fold.problems.iter().filter(mine).count();
    tally
}

/// Time since the run was accepted, always as wide.
fn stamp(fold: &Fold, now: Moment) -> String {
    let elapsed: Seconds = between(fold.opened.unwrap_or(now), now);
    let whole = elapsed.duration().as_secs();
    format!("{:>3}:{:02}", whole / 60, whole % 60)
}
