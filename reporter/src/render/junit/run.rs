//! A run as its journal left it, written without holding more of it than one case. It gives the
//! document that its summary would give.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::ops::Range;

use muletrain_proto::id::{AppLabel, LeaseId};
use muletrain_proto::outcome::FailureKind;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use super::document::{Page, Sink};
use super::{Head, case, root};
use crate::pure::catalog::{TestState, Tests, Tried};
use crate::pure::events::bare;
use crate::pure::junit::markup::push_value;
use crate::pure::junit::tally::{Counts, File, Tally};
use crate::pure::junit::times::{micros, push_decimals};
use crate::pure::junit::{Part, case as kinds};
use crate::pure::summary::{Moment, Summary, TestReport};
use crate::pure::words::Lines;

/// Cases that are worth a thread's while.
const PIECE: usize = 20_000;

/// A run and its suites.
pub struct Run<'a> {
    summary: &'a Summary,
    tests: &'a Tests,
    lines: &'a (dyn Lines + Sync),
    suites: Vec<Suite<'a>>,
    /// Cases, suite by suite: problems by their places, and then tests by theirs.
    cases: Vec<u32>,
}

/// What one lease ran of one module.
struct Suite<'a> {
    app: Option<&'a AppLabel>,
    name: &'a str,
    lease: Option<LeaseId>,
    /// Its cases are those up to here that are in no suite before it.
    end: usize,
}

/// Suites in the order of apps, modules and leases; what no lease ran comes last.
type Key<'a> = (Option<&'a AppLabel>, &'a str, bool, Option<LeaseId>);

impl<'a> Run<'a> {
    /// Finds the suites of a run. Of the summary's tests it needs none.
    #[must_use]
    pub fn new(summary: &'a Summary, tests: &'a Tests, lines: &'a (dyn Lines + Sync)) -> Self {
        let mut known = BTreeMap::<Key<'a>, u32>::new();
        let mut suite = |app, name, lease: Option<LeaseId>| {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            *known.entry((app, name, lease.is_none(), lease)).or_insert(next)
        };
        let problems = summary.problems.iter().map(|problem| {
            suite(problem.app.as_ref(), case::place_of(summary, problem).0, problem.lease)
        });
        let mut homes: Vec<u32> = problems.collect();
        let mut of_class = HashMap::<(usize, Option<LeaseId>), u32>::new();
        homes.extend(tests.iter().map(|test| {
            let lease = test.decisive().lease();
            *of_class.entry((test.class(), lease)).or_insert_with(|| {
                let class = &summary.classes[test.class()];
                suite(Some(&class.app), &class.module, lease)
            })
        }));
        let (cases, ends) = sorted(&homes, &known.values().copied().collect::<Vec<u32>>());
        let suites = known.into_keys().zip(ends);
        let suites = suites.map(|((app, name, _, lease), end)| Suite { app, name, lease, end });
        Self { summary, tests, lines, suites: suites.collect(), cases }
    }

    /// Suites that are worth being written by themselves.
    #[must_use]
    pub fn pieces(&self) -> Vec<Range<usize>> {
        let (mut pieces, mut start, mut begun) = (Vec::new(), 0, 0);
        for (number, suite) in (1..).zip(&self.suites) {
            if suite.end - begun >= PIECE || number == self.suites.len() {
                pieces.push(start..number);
                (start, begun) = (number, suite.end);
            }
        }
        if pieces.is_empty() {
            pieces.push(0..0);
        }
        pieces
    }

    /// What the document will say of some of its suites.
    #[must_use]
    pub fn count(&self, suites: &Range<usize>) -> File {
        let mut tally = Tally::default();
        tally.take(&Part::Root(root()));
        for (suite, cases) in self.suites(suites) {
            tally.take(&Part::Open(self.head(suite, cases).opening()));
            for place in cases {
                match self.case(*place) {
                    Ok(test) => tally.add(&counts(test)),
                    Err(problem) => {
                        let problem = &self.summary.problems[problem];
                        tally.take(&Part::Case(case::of_problem(self.summary, problem)));
                    }
                }
            }
            tally.take(&Part::Close);
        }
        tally.finish().remove(0)
    }

    /// Writes some of its suites to a page, everything kept.
    ///
    /// # Errors
    /// When the page cannot be written, or the journal not read again.
    pub fn write<W: io::Write>(
        &self,
        suites: &Range<usize>,
        page: &mut Page<'_, W>,
    ) -> io::Result<()> {
        let mut frame = Frame::default();
        for (suite, cases) in self.suites(suites) {
            let head = self.head(suite, cases);
            page.part(&Part::Open(head.opening()))?;
            page.part(&Part::Aside(head.properties()))?;
            for place in cases {
                match self.case(*place) {
                    Ok(test) if is_plain(test) => {
                        page.case(|text| self.plain(text, test, &mut frame))?;
                    }
                    Ok(test) => page.part(&Part::Case(self.whole(test)?))?,
                    Err(problem) => {
                        let problem = &self.summary.problems[problem];
                        page.part(&Part::Case(case::of_problem(self.summary, problem)))?;
                    }
                }
            }
            page.part(&Part::Close)?;
        }
        Ok(())
    }

    /// The parts of a document.
    ///
    /// # Errors
    /// Whatever the sink says, and when the journal cannot be read again.
    pub fn parts(&self, sink: Sink<'_>) -> io::Result<()> {
        sink(Part::Root(root()))?;
        for (suite, cases) in self.suites(&(0..self.suites.len())) {
            let head = self.head(suite, cases);
            sink(Part::Open(head.opening()))?;
            sink(Part::Aside(head.properties()))?;
            for place in cases {
                sink(Part::Case(match self.case(*place) {
                    Ok(test) => self.whole(test)?,
                    Err(problem) => case::of_problem(self.summary, &self.summary.problems[problem]),
                }))?;
            }
            sink(Part::Close)?;
        }
        Ok(())
    }

    fn suites(&self, range: &Range<usize>) -> impl Iterator<Item = (&Suite<'a>, &[u32])> {
        range.clone().map(|number| {
            let suite = &self.suites[number];
            let start = number.checked_sub(1).map_or(0, |before| self.suites[before].end);
            (suite, &self.cases[start..suite.end])
        })
    }

    /// A test, or else the place of a problem.
    fn case(&self, place: u32) -> Result<&TestState, usize> {
        let place = place as usize;
        match place.checked_sub(self.summary.problems.len()) {
            Some(test) => Ok(self.tests.at(test)),
            None => Err(place),
        }
    }

    fn head(&self, suite: &Suite<'a>, cases: &[u32]) -> Head<'a> {
        let mut classes = Vec::new();
        let mut seconds = Seconds::ZERO;
        let mut started: Option<Moment> = None;
        for place in cases {
            let moment = match self.case(*place) {
                Ok(test) => {
                    let decisive = test.decisive();
                    seconds += decisive.seconds().unwrap_or_default();
                    if classes.last() != Some(&test.class()) {
                        classes.push(test.class());
                    }
                    decisive.started()
                }
                Err(problem) => Some(self.summary.problems[problem].at),
            };
            started = started.into_iter().chain(moment).min();
        }
        let classes = classes.into_iter().map(|class| &self.summary.classes[class].id).collect();
        Head {
            summary: self.summary,
            app: suite.app,
            name: suite.name,
            lease: suite.lease,
            started,
            seconds: super::with_fixtures(self.summary, suite.lease, classes, seconds),
        }
    }

    /// A case of which everything is told.
    fn whole(&self, test: &TestState) -> io::Result<crate::pure::junit::Element> {
        Ok(case::of_test(self.summary, &self.report(test)?))
    }

    fn report(&self, test: &TestState) -> io::Result<TestReport> {
        let mut unread = None;
        let report = self.tests.report(&self.summary.classes, test, |tried, _| {
            self.tests.told(tried, self.lines).unwrap_or_else(|why| {
                unread = Some(why);
                Default::default()
            })
        });
        match unread {
            None => Ok(report),
            Some(why) => Err(io::Error::other(format!("its journal cannot be read again: {why}"))),
        }
    }

    /// A test that passed in silence.
    fn plain(&self, text: &mut String, test: &TestState, frame: &mut Frame) {
        if frame.class != Some(test.class()) {
            *frame = Frame::new(self.summary, test.class());
        }
        text.push_str(&frame.before);
        push_value(text, self.tests.method(test));
        text.push_str("\" time=\"");
        push_decimals(text, test.decisive().seconds().unwrap_or_default());
        text.push_str(&frame.after);
    }
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Run").field("suites", &self.suites.len()).finish_non_exhaustive()
    }
}

/// What cases of one class have in common.
#[derive(Default)]
struct Frame {
    class: Option<usize>,
    before: String,
    after: String,
}

impl Frame {
    fn new(summary: &Summary, class: usize) -> Self {
        let info = &summary.classes[class];
        let mut before = "<testcase classname=\"".to_owned();
        push_value(&mut before, &case::classname(info.id.as_str()));
        before.push_str("\" name=\"");
        let mut after = "\"".to_owned();
        if let Some(file) = &info.file {
            after.push_str(" file=\"");
            push_value(&mut after, file);
            after.push('"');
        }
        if let Some(line) = info.line {
            after.push_str(&format!(" line=\"{line}\""));
        }
        after.push_str("/>");
        Self { class: Some(class), before, after }
    }
}

fn is_plain(test: &TestState) -> bool {
    matches!(&*test.tries, [Tried { verdict: Verdict::Passed, .. }]) && !test.decisive().speaks()
}

/// How JUnit counts a test, as [`case::of_test`] shows it.
fn counts(test: &TestState) -> Counts {
    let (index, outcome) = test.outcome();
    let decisive = &test.tries[index];
    let class = match outcome.verdict {
        Verdict::Passed => kinds::Class::Passed,
        Verdict::NotRun if decisive.lost => kinds::Class::Error,
        Verdict::Skipped | Verdict::ExpectedFailure | Verdict::NotRun => kinds::Class::Skipped,
        verdict => match decisive.raised.unwrap_or_else(|| bare(verdict, "").kind) {
            FailureKind::Failure => kinds::Class::Failed,
            FailureKind::Error => kinds::Class::Error,
        },
    };
    let mut time = String::new();
    push_decimals(&mut time, decisive.seconds().unwrap_or_default());
    Counts::of(class, micros(&time).unwrap_or_default())
}

/// Cases by their homes, homes in this order, and where the cases of each home end.
fn sorted(homes: &[u32], order: &[u32]) -> (Vec<u32>, Vec<usize>) {
    let mut sizes = vec![0_usize; order.len()];
    homes.iter().for_each(|home| sizes[*home as usize] += 1);
    let (mut next, mut ends, mut start) = (vec![0_usize; order.len()], Vec::new(), 0);
    for home in order {
        next[*home as usize] = start;
        start += sizes[*home as usize];
        ends.push(start);
    }
    let mut cases = vec![0_u32; homes.len()];
    for (case, home) in (0..).zip(homes) {
        let place = &mut next[*home as usize];
        cases[*place] = case;
        *place += 1;
    }
    (cases, ends)
}
