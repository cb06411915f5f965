//! JUnit XML: what CI systems read.
//!
//! One `<testsuite>` for each app, module and lease, so that a suite ran in one place and its
//! start plus its time is its end. The dialect is the widely read one: several results in a test
//! case, `flakyFailure` and `rerunFailure` as Surefire writes them.

mod case;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use muletrain_proto::id::{AppLabel, LeaseId};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, Event};

use crate::pure::summary::{Moment, Problem, Summary, TestReport};
use crate::pure::text::for_xml;

type Xml = Writer<Vec<u8>>;

/// The document for one or more runs.
#[must_use]
pub fn junit(summaries: &[Summary]) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    document(&mut xml, summaries).expect("a vector takes every write");
    let mut text = String::from_utf8(xml.into_inner()).expect("only text was written");
    text.push('\n');
    text
}

fn document(xml: &mut Xml, summaries: &[Summary]) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites: Vec<Suite<'_>> = summaries.iter().flat_map(suites).collect();
    let mut tally = Tally::default();
    suites.iter().for_each(|suite| tally.add(&suite.tally()));
    let wall = summaries.iter().map(Summary::wall).sum();
    xml.create_element("testsuites")
        .with_attribute(("name", "muletrain"))
        .with_attributes(tally.attributes(wall).iter().map(|(name, value)| (*name, value.as_str())))
        .write_inner_content(|xml| suites.iter().try_for_each(|suite| suite.write(xml)))?;
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

impl Suite<'_> {
    fn write(&self, xml: &mut Xml) -> io::Result<()> {
        let attributes = self.tally().attributes(self.seconds());
        let name = for_xml(self.name);
        let mut suite = xml
            .create_element("testsuite")
            .with_attribute(("name", name.as_str()))
            .with_attributes(attributes.iter().map(|(name, value)| (*name, value.as_str())))
            .with_attribute(("timestamp", timestamp(self.started()).as_str()));
        if let Some(agent) = self.summary.agent(self.lease) {
            suite = suite.with_attribute(("hostname", agent.as_str()));
        }
        suite.write_inner_content(|xml| {
            self.properties(xml)?;
            self.cases.iter().try_for_each(|case| match case {
                Case::Test(test) => case::write_test(xml, self.summary, test),
                Case::Problem(problem) => case::write_problem(xml, self.summary, problem),
            })
        })?;
        Ok(())
    }

    fn properties(&self, xml: &mut Xml) -> io::Result<()> {
        let snapshot = self.summary.snapshot.as_deref();
        let revision = snapshot.and_then(|snapshot| snapshot.revision.as_ref());
        let lease = self.lease.and_then(|lease| self.summary.leases.get(&lease));
        let properties = [
            ("muletrain.run", self.summary.run.as_ref().map(ToString::to_string)),
            ("muletrain.snapshot", snapshot.map(|snapshot| snapshot.id.to_string())),
            ("muletrain.commit", revision.map(|revision| revision.commit.clone())),
            ("muletrain.app", self.app.map(ToString::to_string)),
            ("muletrain.lease", self.lease.map(|lease| lease.to_string())),
            ("muletrain.slot", lease.map(|lease| lease.place.slot.to_string())),
        ];
        xml.create_element("properties").write_inner_content(|xml| {
            properties
                .iter()
                .filter_map(|(name, value)| Some((*name, value.as_ref()?)))
                .try_for_each(|(name, value)| {
                    xml.create_element("property")
                        .with_attribute(("name", name))
                        .with_attribute(("value", for_xml(value).as_str()))
                        .write_empty()?;
                    Ok(())
                })
        })?;
        Ok(())
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for case in &self.cases {
            match case {
                Case::Test(test) => tally.count(test.outcome.verdict, test.decisive.lost),
                Case::Problem(problem) => tally.count(problem.verdict, false),
            }
        }
        tally
    }

    /// When its first case began; a suite that never ran takes the start of the run.
    fn started(&self) -> Moment {
        let moments = self.cases.iter().filter_map(|case| match case {
            Case::Test(test) => test.decisive.started,
            Case::Problem(problem) => Some(problem.at),
        });
        moments.min().unwrap_or(self.summary.opened)
    }

    /// Time of its tests and of their classes' fixtures.
    fn seconds(&self) -> Seconds {
        let mut classes = BTreeSet::new();
        let mut seconds = Seconds::ZERO;
        for case in &self.cases {
            if let Case::Test(test) = case {
                seconds += test.decisive.seconds.unwrap_or_default();
                classes.insert(&self.summary.class(test).id);
            }
        }
        let Some(lease) = self.lease else { return seconds };
        let fixtures = &self.summary.fixtures;
        let times = classes.into_iter().filter_map(|class| fixtures.get(&(class.clone(), lease)));
        seconds + times.copied().sum()
    }
}

/// How many cases ended how, in JUnit's four words.
#[derive(Default)]
struct Tally {
    tests: u32,
    failures: u32,
    errors: u32,
    skipped: u32,
}

impl Tally {
    fn count(&mut self, verdict: Verdict, lost: bool) {
        self.tests += 1;
        match verdict {
            Verdict::Passed => {}
            Verdict::Failed | Verdict::UnexpectedSuccess => self.failures += 1,
            Verdict::Error | Verdict::Crashed | Verdict::TimedOut => self.errors += 1,
            Verdict::NotRun if lost => self.errors += 1,
            Verdict::NotRun | Verdict::Skipped | Verdict::ExpectedFailure => self.skipped += 1,
        }
    }

    fn add(&mut self, other: &Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
    }

    fn attributes(&self, time: Seconds) -> [(&'static str, String); 5] {
        [
            ("tests", self.tests.to_string()),
            ("failures", self.failures.to_string()),
            ("errors", self.errors.to_string()),
            ("skipped", self.skipped.to_string()),
            ("time", decimals(time)),
        ]
    }
}

fn decimals(seconds: Seconds) -> String {
    format!("{:.3}", seconds.get())
}

/// A moment as ISO 8601 in UTC; one beyond the calendar is the epoch.
fn timestamp(moment: Moment) -> String {
    let moment = i64::try_from(moment).unwrap_or_default();
    let stamp = jiff::Timestamp::from_millisecond(moment).unwrap_or_default();
    stamp.strftime("%Y-%m-%dT%H:%M:%S.%3f+00:00").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc_with_milliseconds() {
        assert_eq!(timestamp(1_767_269_096_007), "2026-01-01T12:04:56.007+00:00");
        assert_eq!(timestamp(u64::MAX), "1970-01-01T00:00:00.000+00:00");
    }
}
