//! A run in progress, as text: lines for a log, and in [`frame`] the state of things for a terminal.

pub mod cells;
pub mod forecast;
pub mod frame;

use std::collections::BTreeMap;

use muletrain_proto::id::{AppLabel, LeaseId, TestId};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use super::events::bare;
use super::fold::{Change, Fold};
use super::lease::LeaseState;
use super::summary::{Moment, between};
use super::text::{fit, for_line, plural};
use crate::pure::style::Look;
use forecast::{Forecast, in_words};
use muletrain_proto::plan::Plan;

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
        // What runs is told by heartbeats, and each app once, when it is over.
        Change::Leased(_) | Change::Closed => return None,
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
    };
    Some(format!("{} {text}", look.faint(&stamp(fold, fold.latest))))
}

/// What is going to happen, for the beginning of a log.
#[must_use]
pub fn planned(fold: &Fold, plan: &Plan, look: Look) -> String {
    let apps = plural(plan.apps.len(), "app");
    let slots = plural(plan.slots as usize, "slot");
    let bound = match plan.lower_bound > Seconds::ZERO {
        true => format!("; by past timings at least {}", plan.lower_bound),
        false => String::new(),
    };
    format!("{} {apps} on {slots}{bound}", look.faint(&stamp(fold, fold.latest)))
}

/// A sign of life for a log in which nothing happened for a while.
#[must_use]
pub fn heartbeat(fold: &Fold, forecast: &Forecast, now: Moment, look: Look) -> String {
    let mut running: Vec<_> =
        open(fold).flat_map(|lease| lease.running.iter().map(move |one| (lease, one))).collect();
    running.sort_by_key(|(_, one)| one.since);
    let named = running.iter().take(NAMED).map(|(lease, one)| {
        let time = between(one.since, now);
        format!("{} on {} for {time}", for_line(one.test.as_str()), lease.place.agent)
    });
    let named: Vec<String> = named.collect();
    let mut text = format!("{} {}", look.faint(&stamp(fold, now)), counted(tally(fold, None)));
    if let Some(left) = forecast.left(fold, now) {
        text += &format!(", {}", in_words(left));
    }
    if !named.is_empty() {
        text += &format!("; running {}", named.join(", "));
    }
    if open(fold).any(LeaseState::is_waiting) {
        text += "; setting up test databases";
    }
    text
}

fn open(fold: &Fold) -> impl Iterator<Item = &LeaseState> {
    fold.leases.values().filter(|lease| lease.is_open())
}

/// What an app came to, once no lease of it is open any more.
fn over(fold: &Fold, id: LeaseId) -> Option<String> {
    let lease = fold.leases.get(&id)?;
    let app = lease.app.as_ref()?;
    if open(fold).any(|other| other.app.as_ref() == Some(app)) {
        return None;
    }
    let time = between(lease.leased, fold.latest);
    let counts = counted(tally(fold, Some(app)));
    Some(format!("{}: {counts}, {time} on {}", for_line(app.as_str()), lease.place.agent))
}

fn red_test(fold: &Fold, test: &TestId, number: u32, look: Look) -> Option<String> {
    let tries = &fold.catalog.get(test)?.tries;
    let one = tries.iter().find(|one| one.number == number && one.verdict.is_red())?;
    let one = fold.catalog.told(one);
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
    for (_, part) in tallies(fold).into_iter().filter(|(one, _)| app.is_none_or(|app| *one == app))
    {
        tally.known += part.known;
        tally.told += part.told;
        tally.red += part.red;
    }
    let mine = |problem: &&super::summary::Problem| app.is_none() || problem.app.as_ref() == app;
    tally.red += fold.problems.iter().filter(mine).count();
    tally
}

/// The tests of each app; there may be many, so those that follow one another are looked up once.
fn tallies(fold: &Fold) -> BTreeMap<&AppLabel, Tally> {
    let mut tallies = BTreeMap::<&AppLabel, Tally>::new();
    let mut current: Option<(&AppLabel, Tally)> = None;
    let mut put = |(app, part): (_, Tally)| {
        let tally = tallies.entry(app).or_default();
        tally.known += part.known;
        tally.told += part.told;
        tally.red += part.red;
    };
    for test in fold.catalog.tests.iter().filter(|test| test.must_be_told(fold.collected)) {
        let app = &fold.catalog.class_of(test).app;
        let tally = match &mut current {
            Some((same, tally)) if *same == app => tally,
            _ => {
                current.take().into_iter().for_each(&mut put);
                &mut current.insert((app, Tally::default())).1
            }
        };
        tally.known += 1;
        tally.told += usize::from(!test.tries.is_empty());
        tally.red += usize::from(test.tries.last().is_some_and(|one| one.verdict.is_red()));
    }
    current.into_iter().for_each(put);
    tallies
}

/// Time since the run was accepted, always as wide.
fn stamp(fold: &Fold, now: Moment) -> String {
    let elapsed: Seconds = between(fold.opened.unwrap_or(now), now);
    let whole = elapsed.duration().as_secs();
    format!("{:>3}:{:02}", whole / 60, whole % 60)
}
