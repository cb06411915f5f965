//! The state of a run as a few lines of a terminal of any size.

use std::collections::BTreeSet;

use muletrain_proto::id::AgentId;
use muletrain_proto::seconds::Seconds;

use super::cells::{Line, columns, tail};
use super::forecast::{Forecast, in_words};
use super::{Tally, open, stamp, tally};
use crate::pure::fold::Fold;
use crate::pure::lease::{LeaseState, Stage};
use crate::pure::style::Look;
use crate::pure::summary::{Moment, between};
use crate::pure::text::{for_line, plural};

/// Columns of the bar, at most and at least.
const BAR: (usize, usize) = (24, 8);

/// From so many columns on it is said where a pod is, and which test it runs.
const WIDE: usize = 50;

/// Columns of names, at most.
const NAME: usize = 24;

/// Columns of a time.
const TIME: usize = 7;

/// Columns that the end of a test's name needs to tell anything.
const TEST: usize = 8;

/// Lines that are shown on every terminal that has room for them.
const FEW: usize = 3;

/// Characters of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Across.
    pub columns: usize,
    /// Down.
    pub rows: usize,
}

/// A bar with the totals, then each pod and what it does. One row and half of the terminal are left
/// to what happens.
#[must_use]
pub fn frame(fold: &Fold, forecast: &Forecast, now: Moment, size: Size, look: Look) -> Vec<String> {
    let rows = (size.rows / 2).max(FEW).min(size.rows.saturating_sub(1));
    if rows == 0 || size.columns == 0 {
        return Vec::new();
    }
    let mut lines = vec![totals(fold, forecast, now, size.columns, look)];
    let mut pods: Vec<&LeaseState> = open(fold).collect();
    pods.sort_by_key(|lease| (&lease.place.agent, lease.place.slot));
    let shown = match pods.len() < rows {
        true => pods.len(),
        false => rows.saturating_sub(2),
    };
    let agents: BTreeSet<&AgentId> = fold.leases.values().map(|lease| &lease.place.agent).collect();
    let grid = Grid::of(&pods[..shown], agents.len() > 1, size.columns);
    lines.extend(pods[..shown].iter().map(|lease| grid.pod(lease, now, look)));
    if shown < pods.len() && rows > 1 {
        lines.push(rest(&pods[shown..], shown, now, size.columns, look));
    }
    lines
}

fn totals(fold: &Fold, forecast: &Forecast, now: Moment, wide: usize, look: Look) -> String {
    let tally = tally(fold, None);
    let left = forecast.left(fold, now).map(in_words);
    let mut line = Line::new(wide);
    let (elapsed, briefly) = (stamp(fold, now), wide < WIDE);
    line.push(if briefly { elapsed.trim_start() } else { &elapsed });
    line.push(" ");
    let (told, red) = counted(tally, briefly);
    let rest = left.map(|left| format!(", {left}")).unwrap_or_default();
    let words = columns(&told) + columns(&red) + columns(&rest);
    if let Some(room) = line.room().checked_sub(words + 1).filter(|room| *room >= BAR.1) {
        line.paint(&bar(fold, tally, room.min(BAR.0)), Look::good, look);
        line.push(" ");
    }
    line.push(&told);
    line.paint(&red, Look::bad, look);
    line.push(&rest);
    line.finish()
}

/// How much is done, and what of it is red.
fn counted(tally: Tally, briefly: bool) -> (String, String) {
    let Tally { known, told, red } = tally;
    let done = match (known, briefly) {
        (0, false) => "no tests known yet".to_owned(),
        (0, true) => "no tests yet".to_owned(),
        (_, false) => format!("{told} of {}", plural(known, "test")),
        (_, true) => format!("{told}/{known}"),
    };
    (done, if red > 0 { format!(", {red} red") } else { String::new() })
}

/// Until the inventory is known, nobody can say how much is done.
fn bar(fold: &Fold, tally: Tally, width: usize) -> String {
    let done = match (fold.collected, tally.known) {
        (false, _) | (_, 0) => 0,
        (true, known) => width * tally.told.min(known) / known,
    };
    format!("{}{}", "█".repeat(done), "░".repeat(width - done))
}

/// The columns of all pods that are shown.
struct Grid {
    columns: usize,
    /// Whether there are several agents to be told apart.
    agents: bool,
    /// None where there is no room to say where a pod is.
    place: Option<usize>,
    name: usize,
    count: usize,
}

impl Grid {
    fn of(pods: &[&LeaseState], agents: bool, wide: usize) -> Self {
        let longest = |text: &dyn Fn(&LeaseState) -> String| {
            pods.iter().map(|lease| columns(&text(lease))).max().unwrap_or_default()
        };
        let quarter = (wide / 4).min(NAME);
        let count = longest(&count);
        let place = (wide >= WIDE).then(|| longest(&|lease| place(lease, agents)).min(quarter));
        let name = match place {
            Some(_) => longest(&name).min(quarter),
            None => longest(&name).min(wide.saturating_sub(count + TIME + 2)),
        };
        Self { columns: wide, agents, place, name, count }
    }

    fn pod(&self, lease: &LeaseState, now: Moment, look: Look) -> String {
        let (since, doing) = doing(lease);
        let time = since.map(|since| between(since, now).to_string()).unwrap_or_default();
        let plain = |_: Look, text: &str| text.to_owned();
        let mut line = Line::new(self.columns);
        if let Some(width) = self.place {
            line.column(&place(lease, self.agents), width, Look::faint, look);
            line.push("  ");
        }
        line.column(&name(lease), self.name, plain, look);
        line.push(&format!(" {:>width$} {time:>TIME$}", count(lease), width = self.count));
        if self.place.is_some() {
            line.push("  ");
            let doing = match doing {
                Doing::Test(id) => tail(&id, line.room()),
                Doing::Stage(words) => words.to_owned(),
            };
            line.push(&doing);
        }
        line.finish()
    }
}

/// What a pod does.
enum Doing {
    Test(String),
    Stage(&'static str),
}

/// And since when, where that is known.
fn doing(lease: &LeaseState) -> (Option<Moment>, Doing) {
    match (lease.running.first(), lease.stage) {
        (Some(running), _) => (Some(running.since), Doing::Test(for_line(running.test.as_str()))),
        (None, _) if lease.is_waiting() => {
            (Some(lease.leased), Doing::Stage("waiting for test databases"))
        }
        (None, Stage::Testing) => (None, Doing::Stage(Stage::Testing.as_str())),
        (None, stage) => (Some(lease.leased), Doing::Stage(stage.as_str())),
    }
}

fn place(lease: &LeaseState, agents: bool) -> String {
    match agents {
        true => format!("{}/{}", lease.place.agent, lease.place.slot),
        false => lease.place.slot.to_string(),
    }
}

fn name(lease: &LeaseState) -> String {
    for_line(lease.name())
}

fn count(lease: &LeaseState) -> String {
    match lease.planned {
        0 => String::new(),
        planned => format!("{}/{planned}", lease.finished),
    }
}

/// How many pods are not shown, and what takes the longest in them.
fn rest(pods: &[&LeaseState], shown: usize, now: Moment, wide: usize, look: Look) -> String {
    let thing = if shown == 0 { "pod" } else { "more pod" };
    let mut line = Line::new(wide);
    line.push(&plural(pods.len(), thing));
    let running = pods.iter().flat_map(|lease| lease.running.iter());
    if let Some(longest) = running.min_by_key(|one| one.since) {
        let time: Seconds = between(longest.since, now);
        let test = for_line(longest.test.as_str());
        let begin = format!("; for {time} ");
        if let Some(room) = line.room().checked_sub(columns(&begin)).filter(|room| *room >= TEST) {
            line.paint(&(begin + &tail(&test, room)), Look::faint, look);
        }
    }
    line.finish()
}
