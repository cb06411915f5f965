//! JUnit XML: what CI systems read.
//!
//! Runs become one `<testsuite>` for each app, module and lease, so that a suite ran in one place
//! and its start plus its time is its end. The dialect is the widely read one: several results in
//! a test case, `flakyFailure` and `rerunFailure` as Surefire writes them.

pub(crate) mod case;
pub mod document;
pub mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use muletrain_proto::id::{AppLabel, ClassId, LeaseId};
use muletrain_proto::seconds::Seconds;

use self::document::{Files, Layout, Sink, counts, write};
use crate::pure::junit::times::decimals;
use crate::pure::junit::{Element, Part, properties};
use crate::pure::read::timestamp;
use crate::pure::summary::{Moment, Problem, Summary, TestReport};

/// The document for one or more runs.
#[must_use]
pub fn junit(summaries: &[Summary]) -> String {
    text(|sink| summaries.iter().try_for_each(|summary| parts(summary, sink)))
}

/// A document of these parts.
#[must_use]
pub fn of_parts(parts: &[Part]) -> String {
    text(|sink| parts.iter().cloned().try_for_each(sink))
}

fn text(all: impl Fn(Sink<'_>) -> io::Result<()>) -> String {
    let layout = Layout::default();
    let counts = counts(layout, &all).expect("counting refuses nothing");
    let mut text = Text::default();
    write(layout, &counts, &mut text, &all).expect("a vector takes every write");
    String::from_utf8(text.0).expect("only text was written")
}

/// A file that is a text.
#[derive(Default)]
struct Text(Vec<u8>);

impl Files for Text {
    type File = Vec<u8>;

    fn begin(&mut self, _: usize) -> io::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn end(&mut self, file: Vec<u8>) -> io::Result<()> {
        self.0.extend(file);
        Ok(())
    }
}

/// A run as parts of a document.
///
/// # Errors
/// Whatever the sink says.
pub fn parts(summary: &Summary, sink: Sink<'_>) -> io::Result<()> {
    sink(Part::Root(root()))?;
    for suite in suites(summary) {
        let head = suite.head();
        sink(Part::Open(head.opening()))?;
        sink(Part::Aside(head.properties()))?;
        for case in &suite.cases {
            sink(Part::Case(match case {
                Case::Test(test) => case::of_test(summary, test),
                Case::Problem(problem) => case::of_problem(summary, problem),
            }))?;
        }
        sink(Part::Close)?;
    }
    Ok(())
}

/// What one lease ran of one module.
struct Suite<'a> {
    summary: &'a Summary,
    app: Option<&'a AppLabel>,
    name: &'a str,
    lease: Option<LeaseId>,
    cases: Vec<Case<'a>>,
}

/// A line of a suite: a test, or something that went wrong outside of one.
enum Case<'a> {
    Test(&'a TestReport),
    Problem(&'a Problem),
}

/// Suites in the order of apps, modules and leases; what no lease ran comes last.
fn suites(summary: &Summary) -> Vec<Suite<'_>> {
    let mut suites = BTreeMap::<_, Suite<'_>>::new();
    let mut add = |app, name, lease: Option<LeaseId>, case| {
        let key = (app, name, lease.is_none(), lease);
        let new = || Suite { summary, app, name, lease, cases: Vec::new() };
        suites.entry(key).or_insert_with(new).cases.push(case);
    };
    for problem in &summary.problems {
        add(
            problem.app.as_ref(),
            case::place_of(summary, problem).0,
            problem.lease,
            Case::Problem(problem),
        );
    }
    for test in &summary.tests {
        let class = summary.class(test);
        add(Some(&class.app), &class.module, test.decisive.lease, Case::Test(test));
    }
    suites.into_values().collect()
}

/// What stands at the beginning of a suite.
struct Head<'a> {
    summary: &'a Summary,
    app: Option<&'a AppLabel>,
    name: &'a str,
    lease: Option<LeaseId>,
    /// When its first case began; a suite that never ran takes the start of the run.
    started: Option<Moment>,
    /// Time of its tests and of their classes' fixtures.
    seconds: Seconds,
}

impl Head<'_> {
    fn opening(&self) -> Element {
        let started = self.started.unwrap_or(self.summary.opened);
        Element::new("testsuite")
            .with("name", self.name)
            .with("time", decimals(self.seconds))
            .with("timestamp", timestamp(i64::try_from(started).unwrap_or_default()))
            .with_some("hostname", self.summary.agent(self.lease).map(ToString::to_string))
    }

    fn properties(&self) -> Element {
        let snapshot = self.summary.snapshot.as_deref();
        let revision = snapshot.and_then(|snapshot| snapshot.revision.as_ref());
        let lease = self.lease.and_then(|lease| self.summary.leases.get(&lease));
        let all = [
            ("muletrain.run", self.summary.run.as_ref().map(ToString::to_string)),
            ("muletrain.snapshot", snapshot.map(|snapshot| snapshot.id.to_string())),
            ("muletrain.commit", revision.map(|revision| revision.commit.clone())),
            ("muletrain.app", self.app.map(ToString::to_string)),
            ("muletrain.lease", self.lease.map(|lease| lease.to_string())),
            ("muletrain.slot", lease.map(|lease| lease.place.slot.to_string())),
        ];
        properties(all.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }
}

impl<'a> Suite<'a> {
    fn head(&self) -> Head<'a> {
        let moments = self.cases.iter().filter_map(|case| match case {
            Case::Test(test) => test.decisive.started,
            Case::Problem(problem) => Some(problem.at),
        });
        let mut classes = BTreeSet::new();
        let mut seconds = Seconds::ZERO;
        for case in &self.cases {
            if let Case::Test(test) = case {
                seconds += test.decisive.seconds.unwrap_or_default();
                classes.insert(&self.summary.class(test).id);
            }
        }
        Head {
            summary: self.summary,
            app: self.app,
            name: self.name,
            lease: self.lease,
            started: moments.min(),
            seconds: with_fixtures(self.summary, self.lease, classes, seconds),
        }
    }
}

/// The time of tests with that of their classes' fixtures in a lease.
fn with_fixtures(
    summary: &Summary,
    lease: Option<LeaseId>,
    classes: BTreeSet<&ClassId>,
    seconds: Seconds,
) -> Seconds {
    let Some(lease) = lease.filter(|_| !summary.fixtures.is_empty()) else { return seconds };
    let fixtures = &summary.fixtures;
    let times = classes.into_iter().filter_map(|class| fixtures.get(&(class.clone(), lease)));
    seconds + times.copied().sum()
}

fn root() -> Element {
    Element::new("testsuites").with("name", "muletrain")
}
