//! Two results side by side: what broke, what was mended, what came and went, what got slower.

use std::collections::{BTreeMap, BTreeSet};

use muletrain_proto::seconds::Seconds;
use muletrain_proto::verdict::Verdict;

use super::summary::{Summary, TestReport};

/// Times shorter than this say nothing about the speed of a host.
const MEASURABLE: f64 = 0.05;

/// Tests that are needed to tell how fast a host is.
const ENOUGH: usize = 10;

/// From when on a test counts as slower; both must hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// How many times as long as before.
    pub ratio: f64,
    /// How much longer.
    pub seconds: f64,
}

impl Default for Noise {
    fn default() -> Self {
        Self { ratio: 1.5, seconds: 0.5 }
    }
}

/// What changed from one result to another. Names are in their order; slower ones by the time lost.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Comparison {
    /// Red now and not before, tests that are new among them, and errors outside of tests.
    pub broken: Vec<String>,
    /// Red before and not any more.
    pub fixed: Vec<String>,
    /// Red before and now.
    pub still: Vec<String>,
    /// Only there now.
    pub added: Vec<String>,
    /// Only there before.
    pub removed: Vec<String>,
    /// Had a result before and has none now.
    pub unrun: Vec<String>,
    /// Flaky now and not before.
    pub flaky: Vec<String>,
    /// Slower beyond noise.
    pub slower: Vec<Slower>,
    /// How many times as long tests take in general; 1 where too few can tell. It is taken out of
    /// the times before they are compared: another host is not a slower test.
    pub pace: f64,
}

/// A test that got slower.
#[derive(Debug, Clone, PartialEq)]
pub struct Slower {
    /// Which.
    pub id: String,
    /// Time it took before.
    pub before: Seconds,
    /// Time it takes now.
    pub after: Seconds,
}

/// How a test ended, as far as a comparison goes.
#[derive(Debug, Clone, Copy)]
struct State {
    verdict: Verdict,
    flaky: bool,
    seconds: Option<f64>,
}

impl State {
    fn is_red(self) -> bool {
        self.verdict.is_red()
    }
}

/// What changed from `before` to `after`.
#[must_use]
pub fn compare(before: &[&Summary], after: &[&Summary], noise: Noise) -> Comparison {
    let (old, new) = (states(before), states(after));
    let mut found = Comparison { pace: pace(&old, &new), ..Comparison::default() };
    for (id, now) in &new {
        let was = old.get(id);
        let list = match was {
            None if now.is_red() => &mut found.broken,
            None => &mut found.added,
            Some(was) => match (was.is_red(), now.is_red()) {
                (true, true) => &mut found.still,
                (false, true) => &mut found.broken,
                (_, false) if was.verdict != Verdict::NotRun && now.verdict == Verdict::NotRun => {
                    &mut found.unrun
                }
                (true, false) => &mut found.fixed,
                (false, false) if now.flaky && !was.flaky => &mut found.flaky,
                (false, false) => continue,
            },
        };
        list.push((*id).to_owned());
    }
    let gone = old.keys().filter(|id| !new.contains_key(*id));
    found.removed = gone.map(|id| (*id).to_owned()).collect();
    let (old_problems, new_problems) = (problems(before), problems(after));
    found.broken.extend(new_problems.difference(&old_problems).cloned());
    found.still.extend(new_problems.intersection(&old_problems).cloned());
    found.fixed.extend(old_problems.difference(&new_problems).cloned());
    found.slower = slower(&old, &new, found.pace, noise);
    found
}

/// How each test ended. Of a test that is there several times, a red one counts.
fn states<'a>(summaries: &[&'a Summary]) -> BTreeMap<&'a str, State> {
    let mut states = BTreeMap::<&str, State>::new();
    for test in summaries.iter().flat_map(|summary| &summary.tests) {
        let known = states.entry(test.id.as_str()).or_insert_with(|| state(test));
        if !known.is_red() {
            *known = state(test);
        }
    }
    states
}

fn state(test: &TestReport) -> State {
    State {
        verdict: test.outcome.verdict,
        flaky: test.outcome.flaky,
        seconds: test.decisive.seconds.map(Seconds::get),
    }
}

fn problems(summaries: &[&Summary]) -> BTreeSet<String> {
    summaries.iter().flat_map(|summary| &summary.problems).map(|one| one.id.clone()).collect()
}

/// Times of tests that passed both times.
fn times<'a>(
    old: &'a BTreeMap<&str, State>,
    new: &'a BTreeMap<&str, State>,
) -> impl Iterator<Item = (&'a str, f64, f64)> {
    new.iter().filter_map(|(id, now)| {
        let was = old.get(id)?;
        let passed = was.verdict == Verdict::Passed && now.verdict == Verdict::Passed;
        passed.then_some((*id, was.seconds?, now.seconds?))
    })
}

/// The median ratio.
fn pace(old: &BTreeMap<&str, State>, new: &BTreeMap<&str, State>) -> f64 {
    let measurable = times(old, new).filter(|(_, was, now)| was.min(*now) >= MEASURABLE);
    let mut ratios: Vec<f64> = measurable.map(|(_, was, now)| now / was).collect();
    if ratios.len() < ENOUGH {
        return 1.0;
    }
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

fn slower(
    old: &BTreeMap<&str, State>,
    new: &BTreeMap<&str, State>,
    pace: f64,
    noise: Noise,
) -> Vec<Slower> {
    let beyond =
        |was: f64, now: f64| now > was * pace * noise.ratio && now > was * pace + noise.seconds;
    let found = times(old, new).filter(|(_, was, now)| beyond(*was, *now));
    let mut found: Vec<Slower> = found
        .filter_map(|(id, was, now)| {
            let (before, after) = (Seconds::new(was).ok()?, Seconds::new(now).ok()?);
            Some(Slower { id: id.to_owned(), before, after })
        })
        .collect();
    let lost = |one: &Slower| one.after.get() - one.before.get() * pace;
    found.sort_by(|one, other| lost(other).total_cmp(&lost(one)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::foreign::Foreign;
    use crate::pure::junit::{Element, Part};

    fn summary(child: Option<&str>) -> Summary {
        let mut foreign = Foreign::default();
        let mut case = Element::new("testcase").with("classname", "T").with("name", "t");
        case.children.extend(child.map(Element::new));
        foreign.take(Part::Case(case));
        foreign.file("a.xml", Vec::new());
        foreign.finish()
    }

    #[test]
    fn of_twins_the_red_one_counts_in_whatever_order() {
        let (red, green) = (summary(Some("failure")), summary(None));
        for after in [[&red, &green], [&green, &red]] {
            let found = compare(&[&green], &after, Noise::default());
            assert_eq!((found.broken, found.still.len()), (vec!["T.t".to_owned()], 0));
        }
    }
}
