//! From the parts of other tools' results to a summary: the other fold, beside that of a journal.

mod names;

use std::collections::{BTreeMap, HashMap};

use muletrain_proto::id::{AppLabel, ClassId, LeaseId};
use muletrain_proto::lease::Place;
use muletrain_proto::outcome::{Failure, FailureKind, Output};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use self::names::Names;
use super::around::Around;
use super::counts::Counts;
use super::exit::exit_code;
use super::junit::case::{self, Told};
use super::junit::clip::clip;
use super::junit::{Element, Part};
use super::lease::LeaseState;
use super::summary::{
    AppReport, ClassInfo, Moment, Outcome, Problem, ProblemKind, Summary, TestReport, Try,
};
use super::verdict::conclude;

/// Bytes of one text that are kept, first in full and then, when there was much, in brief.
const TEXT: (usize, usize) = (64 << 10, 2 << 10);

/// Bytes of texts after which they are kept in brief.
const MUCH: usize = 64 << 20;

/// The type of the error that says that a file could not be read to its end.
const UNREADABLE: &str = "muletrain.UnreadableReport";

/// Results of other tools, as far as they were taken.
#[derive(Debug, Default)]
pub struct Foreign {
    classes: Vec<ClassInfo>,
    by_class: HashMap<(AppLabel, ClassId), usize>,
    tests: Vec<TestReport>,
    problems: Vec<Problem>,
    apps: BTreeMap<AppLabel, AppReport>,
    leases: BTreeMap<LeaseId, LeaseState>,
    notes: Vec<String>,
    unfinished: Vec<String>,
    opened: Option<Moment>,
    files: usize,
    open: Vec<Suite>,
    names: Names,
    kept: usize,
}

/// A suite that is open.
#[derive(Debug)]
struct Suite {
    name: String,
    app: AppLabel,
    host: Option<String>,
    lease: Option<LeaseId>,
    started: Option<Moment>,
    /// Tests of it by name, for what was tried again.
    tests: HashMap<u64, usize>,
    /// How often it had a name, where suites can be told apart.
    names: HashMap<u64, u32>,
    /// What tells it from every other one, where something does.
    identity: Option<u64>,
}

impl Suite {
    /// What tells the next test of a name from every other one, where something does.
    fn place(&mut self, name: u64) -> Option<u64> {
        let identity = self.identity?;
        let number = self.names.entry(name).or_default();
        *number += 1;
        Some(names::hash(&(identity, name, *number)))
    }
}

impl Foreign {
    /// Takes the next part.
    pub fn take(&mut self, part: Part) {
        match part {
            Part::Open(suite) => self.open(&suite),
            Part::Aside(element) => self.aside(&element),
            Part::Case(case) => self.case(&case),
            Part::Close => drop(self.open.pop()),
            // Who reads for a summary asks for nothing that is written already.
            Part::Root(_) | Part::Plain(_) | Part::Break => {}
        }
    }

    /// Takes note of a file that was read.
    pub fn file(&mut self, path: &str, notes: Vec<String>) {
        self.files += 1;
        self.notes.extend(notes.into_iter().map(|note| format!("{path}: {note}")));
        self.open.clear();
    }

    /// Whether nothing was read at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files == 0
    }

    /// What a report says of them.
    #[must_use]
    pub fn finish(mut self) -> Summary {
        let twice = self.names.twice;
        if twice > 0 {
            self.notes.push(format!("{twice} results of the same run were given twice"));
        }
        let mut counts = Counts::default();
        for test in &self.tests {
            let app = &self.classes[test.class].app;
            counts.add(test.outcome, test.decisive.lost);
            let app = self.apps.entry(app.clone()).or_insert_with(|| app_report(app));
            app.counts.add(test.outcome, test.decisive.lost);
            app.work += test.decisive.seconds.unwrap_or_default();
        }
        counts.problems = u32::try_from(self.problems.len()).unwrap_or(u32::MAX);
        let opened = self.opened.unwrap_or_default();
        Summary {
            run: None,
            files: self.files,
            snapshot: None,
            options: Box::default(),
            notes: Vec::new(),
            opened,
            ended: opened,
            apps: self.apps.into_values().collect(),
            classes: self.classes,
            tests: self.tests,
            problems: self.problems,
            incidents: self.notes,
            made: BTreeMap::new(),
            leases: self.leases,
            around: Around::default(),
            fixtures: BTreeMap::new(),
            deselected: 0,
            stop: None,
            exit: exit_code(&counts, None, self.unfinished.is_empty()),
            unfinished: self.unfinished,
            counts,
            lower_bound: (Seconds::ZERO, 0),
        }
    }

    fn open(&mut self, suite: &Element) {
        let name = suite.filled("name").unwrap_or("(no suite)").to_owned();
        let started = suite.get("timestamp").and_then(names::moment);
        self.opened = self.opened.into_iter().chain(started).min();
        let around = self.open.last().and_then(|around| around.host.clone());
        let host = suite.filled("hostname").map(str::to_owned).or(around);
        let suite = Suite {
            app: names::app(&name),
            identity: names::identity(&name, host.as_deref(), suite.filled("timestamp")),
            lease: None,
            host,
            started,
            tests: HashMap::new(),
            names: HashMap::new(),
            name,
        };
        self.open.push(suite);
    }

    fn aside(&mut self, element: &Element) {
        let Some(suite) = self.open.last_mut() else { return };
        match element.name.as_str() {
            "properties" => {
                if let Some(app) = element.property("muletrain.app") {
                    suite.app = names::app(app);
                }
            }
            "error" | "failure" => {
                let id = format!("suite {}", suite.name);
                let told = case::read(&Element::new("testcase").with_child(element.clone()));
                self.problem(id, told);
            }
            _ => {}
        }
    }

    fn case(&mut self, case: &Element) {
        let mut told = case::read(case);
        if told.failures.iter().any(|failure| failure.exception == UNREADABLE) {
            self.unreadable(case, told);
            return;
        }
        told.failures.iter_mut().chain(&mut told.repeated).for_each(|one| self.shorten(one));
        let output = self.output(case, &told);
        let suite = self.open.last();
        let class_name = case.filled("classname");
        let name = case.filled("name").unwrap_or("(unnamed)");
        let suite_name = suite.map_or("(no suite)", |suite| suite.name.as_str());
        let class = names::class(class_name.unwrap_or(suite_name));
        let key = names::hash(&(&class, name, case.get("file")));
        let place = self.open.last_mut().and_then(|suite| suite.place(key));
        if place.is_some_and(|place| self.names.is_twin(place, told.verdict, told.seconds)) {
            return;
        }
        let lease = self.lease();
        let tries = tries(case, told, output, lease);
        let earlier = self.open.last().and_then(|suite| suite.tests.get(&key).copied());
        if let Some(index) = earlier.filter(|index| self.tests[*index].outcome.verdict.is_red()) {
            self.again(index, tries);
            return;
        }
        let app = self.open.last().map_or_else(AppLabel::other, |suite| suite.app.clone());
        let id = self.names.unique(&names::test(&class, name));
        let class = self.class(class, app, case);
        let (outcome, decisive, others) = decide(tries);
        let index = self.tests.len();
        let line = case.get("line").and_then(|line| line.trim().parse().ok());
        self.tests.push(TestReport { id, class, line, outcome, decisive, others });
        if let Some(suite) = self.open.last_mut() {
            suite.tests.insert(key, index);
        }
    }

    /// A red test that comes again in its suite was tried again.
    fn again(&mut self, index: usize, tries: Vec<Try>) {
        let test = &mut self.tests[index];
        let mut all = std::mem::take(&mut test.others);
        all.push(test.decisive.clone());
        all.extend(tries);
        (1..).zip(&mut all).for_each(|(number, one)| one.number = number);
        (test.outcome, test.decisive, test.others) = decide(all);
    }

    fn class(&mut self, id: ClassId, app: AppLabel, case: &Element) -> usize {
        let key = (app, id);
        if let Some(index) = self.by_class.get(&key) {
            return *index;
        }
        let index = self.classes.len();
        let (app, id) = key.clone();
        self.by_class.insert(key, index);
        let module = id.as_str().rsplit_once('.').map_or("", |(module, _)| module).to_owned();
        let file = case.filled("file").map(str::to_owned);
        self.classes.push(ClassInfo { id, app, module, file, line: None, peak_kib: None });
        index
    }

    /// The place where the innermost suite ran, if it names one.
    fn lease(&mut self) -> Option<LeaseId> {
        let next = LeaseId(u32::try_from(self.leases.len()).unwrap_or(u32::MAX));
        let suite = self.open.last_mut()?;
        if suite.lease.is_none() {
            let agent = names::agent(suite.host.as_deref()?)?;
            let (app, at) = (suite.app.clone(), suite.started.unwrap_or_default());
            let report = self.apps.entry(app.clone()).or_insert_with(|| app_report(&app));
            if let Err(place) = report.agents.binary_search(&agent) {
                report.agents.insert(place, agent.clone());
            }
            let place = Place { agent, slot: 0 };
            self.leases.insert(next, LeaseState::elsewhere(next, app, place, at));
            suite.lease = Some(next);
        }
        suite.lease
    }

    fn unreadable(&mut self, case: &Element, told: Told) {
        let path = case.get("name").unwrap_or("(unnamed)");
        let why = told.failures.first().map(|failure| failure.message.clone());
        self.unfinished.push(why.unwrap_or_else(|| format!("unreadable report: {path}")));
        self.problem(format!("unreadable report {path}"), told);
    }

    fn problem(&mut self, id: String, told: Told) {
        self.problems.push(Problem {
            id,
            kind: ProblemKind::Report,
            app: None,
            class: None,
            verdict: told.verdict,
            failures: told.failures,
            output: Output::default(),
            lease: None,
            at: self.opened.unwrap_or_default(),
        });
    }

    /// What a test that did not just pass printed.
    fn output(&mut self, case: &Element, told: &Told) -> Output {
        if told.verdict == Verdict::Passed && !told.flaky {
            return Output::default();
        }
        let printed = ["system-out", "system-err"].into_iter().flat_map(|name| case.all(name));
        let text: String = printed.map(|element| element.text.as_str()).collect();
        Output { text: self.kept(&text), omitted: 0 }
    }

    fn shorten(&mut self, failure: &mut Failure) {
        failure.traceback = self.kept(&failure.traceback);
        failure.message = self.kept(&failure.message);
    }

    fn kept(&mut self, text: &str) -> String {
        let limit = if self.kept < MUCH { TEXT.0 } else { TEXT.1 };
        let kept = clip(text, limit);
        self.kept += kept.len();
        kept
    }
}

/// The tries a case tells of, the one that decided it last.
fn tries(case: &Element, told: Told, output: Output, lease: Option<LeaseId>) -> Vec<Try> {
    let bare = |number, verdict| Try {
        verdict,
        reason: None,
        ..Try::not_run(number, String::new(), false, lease)
    };
    let red = |failure: &Failure| match failure.kind {
        FailureKind::Failure => Verdict::Failed,
        FailureKind::Error => Verdict::Error,
    };
    let mut tries: Vec<Try> = (1..)
        .zip(told.repeated)
        .map(|(number, failure)| Try {
            failures: vec![failure.clone()],
            ..bare(number, red(&failure))
        })
        .collect();
    let number = u32::try_from(tries.len() + 1).unwrap_or(u32::MAX);
    tries.push(Try {
        lost: told.lost,
        seconds: told.seconds,
        reason: told.reason,
        failures: told.failures,
        output,
        started: case.get("timestamp").and_then(names::moment),
        ..bare(number, told.verdict)
    });
    tries
}

fn decide(mut tries: Vec<Try>) -> (Outcome, Try, Vec<Try>) {
    let (index, outcome) = conclude(&tries).expect("a case is at least one try");
    let decisive = tries.remove(index);
    (outcome, decisive, tries)
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

#[cfg(test)]
#[path = "foreign_tests.rs"]
mod tests;
