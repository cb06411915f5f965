//! The end of the fold: from what a journal told to what a report says.

use std::collections::{BTreeMap, HashMap};

use muletrain_proto::config::Flaky;
use muletrain_proto::id::{AppLabel, ClassId, LeaseId};
use muletrain_proto::outcome::Output;
use muletrain_proto::run::Stop;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use super::catalog::{Tests, Tried};
use super::counts::Counts;
use super::exit::exit_code;
use super::fold::Fold;
use super::summary::{AppReport, ClassInfo, Problem, Summary, TestReport};
use super::text::plural;
use super::words::{Gone, Lines, Told};

/// Of each kind of red tests, how many a terminal is told all of.
pub(crate) const IN_FULL: usize = 50;

/// How many of the slowest tests a terminal may be told.
const SLOWEST: usize = 100;

/// How much of a run is put into its summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Every test with all it has to say.
    Full,
    /// What a terminal is told: tests that did not just pass, and the slowest. With `printing`,
    /// those as well that printed something.
    Brief {
        /// Whether what tests printed is told.
        printing: bool,
    },
}

impl Fold {
    /// What the report says, now that nothing more will come.
    #[must_use]
    pub fn finish(self) -> Summary {
        self.conclude(Detail::Full, &Gone).0
    }

    /// The same in more or less detail, and every test as it is kept. `lines` is the journal.
    #[must_use]
    pub fn conclude(mut self, detail: Detail, lines: &dyn Lines) -> (Summary, Tests) {
        self.conclude_around();
        let mut unfinished = self.unfinished();
        let missing = self.missing_reason();
        let (classes, mut all) = std::mem::take(&mut self.catalog).into_tests();
        all.settle(&classes, self.collected, missing);
        let (tests, unread) = chosen(&all, &classes, detail, lines);
        if let Some((number, why)) = unread {
            let results = plural(number, "result");
            unfinished.push(format!("what {results} had to say cannot be read again: {why}"));
        }
        let counts = count(&all, &self.problems);
        let judged = match self.options.flaky {
            Flaky::Pass => counts,
            Flaky::Fail => counts.strict(),
        };
        let summary = Summary {
            exit: exit_code(&judged, self.stop.as_ref(), unfinished.is_empty()),
            apps: apps(&all, &classes, &self),
            run: self.run,
            files: 0,
            snapshot: self.snapshot,
            options: self.options,
            notes: self.notes,
            opened: self.opened.unwrap_or_default(),
            ended: self.latest,
            classes,
            tests,
            problems: self.problems,
            incidents: self.incidents,
            made: self.made.into_iter().filter_map(|(agent, time)| Some((agent, time?))).collect(),
            leases: self.leases,
            fixtures: self.fixtures,
            around: self.around,
            deselected: self.deselected,
            stop: self.stop,
            unfinished,
            counts,
            lower_bound: self.lower_bound,
        };
        (summary, all)
    }

    /// What keeps the report from being whole, apart from tests that were lost.
    fn unfinished(&self) -> Vec<String> {
        let mut reasons = self.damage.clone();
        if !self.closed {
            reasons.push("the run did not finish".to_owned());
            return reasons;
        }
        if self.stop.is_some() {
            return reasons;
        }
        if !self.collected && self.problems.is_empty() {
            reasons
                .push("nobody knows which tests there are: no inventory was recorded".to_owned());
        }
        for lease in self.leases.values().filter(|lease| lease.is_open()) {
            let agent = &lease.place.agent;
            reasons.push(format!("lease {} on {agent} was closed by nobody", lease.id));
        }
        reasons
    }

    /// Why a test has no verdict where nobody said why.
    fn missing_reason(&self) -> &'static str {
        match (&self.stop, self.closed) {
            (Some(Stop::Interrupted), _) => "the run was interrupted",
            (_, false) => "the run did not finish",
            (_, true) => "no verdict was recorded",
        }
    }
}

/// The tests of a summary; how many results could not be read again, and why.
fn chosen(
    all: &Tests,
    classes: &[ClassInfo],
    detail: Detail,
    lines: &dyn Lines,
) -> (Vec<TestReport>, Option<(usize, String)>) {
    let mut unread = None;
    let mut told = |tried: &Tried| {
        all.told(tried, lines).unwrap_or_else(|why| {
            unread.get_or_insert((0, why)).0 += 1;
            Told::default()
        })
    };
    let tests = match detail {
        Detail::Full => {
            all.iter().map(|test| all.report(classes, test, |one, _| told(one))).collect()
        }
        Detail::Brief { printing } => brief(all, classes, printing, &mut told),
    };
    (tests, unread)
}

/// What a terminal is told of tests. Of most red ones that is one line.
fn brief(
    all: &Tests,
    classes: &[ClassInfo],
    printing: bool,
    told: &mut dyn FnMut(&Tried) -> Told,
) -> Vec<TestReport> {
    let slowest = slowest(all);
    let mut in_full = BTreeMap::<Verdict, usize>::new();
    let mut tests = Vec::new();
    for (place, test) in all.iter().enumerate() {
        let (_, outcome) = test.outcome();
        let is_odd =
            outcome.flaky || outcome.verdict.is_red() || outcome.verdict == Verdict::NotRun;
        let prints = printing && test.decisive().speaks();
        if !is_odd && !prints && slowest.binary_search(&place).is_err() {
            continue;
        }
        let shown = in_full.entry(outcome.verdict).or_default();
        *shown += usize::from(outcome.verdict.is_red());
        let whole = *shown <= IN_FULL && !outcome.flaky;
        tests.push(all.report(classes, test, |tried, decisive| match told(tried) {
            told if decisive && whole || prints => told,
            told => headline(told),
        }));
    }
    tests
}

/// Of what is told on one line, the first exception without its traceback.
fn headline(mut told: Told) -> Told {
    told.failures.truncate(1);
    told.failures.iter_mut().for_each(|failure| failure.traceback = String::new());
    told.failures.shrink_to_fit();
    Told { output: Output::default(), ..told }
}

/// Places of the tests that took longest, in order.
fn slowest(all: &Tests) -> Vec<usize> {
    let mut times: Vec<(f64, usize)> = Vec::new();
    for (place, test) in all.iter().enumerate() {
        let Some(seconds) = test.decisive().seconds() else { continue };
        times.push((seconds.get(), place));
        if times.len() == 64 * SLOWEST {
            cut(&mut times);
        }
    }
    cut(&mut times);
    let mut places: Vec<usize> = times.into_iter().map(|(_, place)| place).collect();
    places.sort_unstable();
    places
}

/// The longest times, of equal ones the first.
fn cut(times: &mut Vec<(f64, usize)>) {
    times.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    times.truncate(SLOWEST);
}

fn count(tests: &Tests, problems: &[Problem]) -> Counts {
    let mut counts = Counts::default();
    for test in tests.iter() {
        let (index, outcome) = test.outcome();
        counts.add(outcome, test.tries[index].lost);
    }
    counts.problems = u32::try_from(problems.len()).unwrap_or(u32::MAX);
    counts
}

fn apps(tests: &Tests, classes: &[ClassInfo], fold: &Fold) -> Vec<AppReport> {
    let mut apps = BTreeMap::<AppLabel, AppReport>::new();
    let mut last: Option<AppReport> = None;
    for test in tests.iter() {
        let label = &classes[test.class()].app;
        // Tests come by app.
        if last.as_ref().is_none_or(|last| last.label != *label) {
            apps.extend(last.replace(app_report(label)).map(|app| (app.label.clone(), app)));
        }
        let Some(app) = &mut last else { continue };
        let (index, outcome) = test.outcome();
        app.counts.add(outcome, test.tries[index].lost);
        let others = test.tries.iter().enumerate().filter(|(place, _)| *place != index);
        let tries = std::iter::once(&test.tries[index]).chain(others.map(|(_, tried)| tried));
        app.work += tries.filter_map(Tried::seconds).sum();
    }
    apps.extend(last.map(|app| (app.label.clone(), app)));
    let fixtures = fixture_times(&fold.fixtures);
    for problem in &fold.problems {
        if let Some(app) = &problem.app {
            entry(&mut apps, app).counts.problems += 1;
        }
    }
    for lease in fold.leases.values() {
        if let Some(label) = &lease.app {
            let app = entry(&mut apps, label);
            app.setup += lease.setup.total();
            app.databases += lease.setup.databases;
            app.kept = match (app.kept, lease.kept) {
                (Some(before), Some(kept)) => Some(before && kept),
                (before, kept) => before.or(kept),
            };
            app.work += fixtures.get(&lease.id).copied().unwrap_or_default();
            if let Err(index) = app.agents.binary_search(&lease.place.agent) {
                app.agents.insert(index, lease.place.agent.clone());
            }
        }
    }
    apps.into_values().collect()
}

/// Time of fixtures by lease.
fn fixture_times(fixtures: &BTreeMap<(ClassId, LeaseId), Seconds>) -> HashMap<LeaseId, Seconds> {
    let mut times = HashMap::<LeaseId, Seconds>::new();
    for ((_, lease), seconds) in fixtures {
        *times.entry(*lease).or_default() += *seconds;
    }
    times
}

fn entry<'a>(apps: &'a mut BTreeMap<AppLabel, AppReport>, label: &AppLabel) -> &'a mut AppReport {
    apps.entry(label.clone()).or_insert_with(|| app_report(label))
}

fn app_report(label: &AppLabel) -> AppReport {
    AppReport {
        label: label.clone(),
        counts: Counts::default(),
        work: Seconds::ZERO,
        setup: Seconds::ZERO,
        databases: Seconds::ZERO,
        kept: None,
        agents: Vec::new(),
    }
}
