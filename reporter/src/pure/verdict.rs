//! From the tries of a test to its outcome.

use muletrain_proto::verdict::Verdict;

use super::summary::{Outcome, Try};

/// Which try decides, and what the test comes to; `None` without any try.
///
/// The last try counts, with three exceptions. A crash is final, so that a second try can never
/// hide it. Red is only ever taken back by a pass. And a try that did run says more
/// than one that did not.
#[must_use]
pub fn conclude(tries: &[Try]) -> Option<(usize, Outcome)> {
    conclude_by(tries, |one| one.verdict)
}

/// The same of anything that has verdicts.
#[must_use]
pub fn conclude_by<T>(tries: &[T], verdict: impl Fn(&T) -> Verdict) -> Option<(usize, Outcome)> {
    let last = |wanted: fn(Verdict) -> bool| tries.iter().rposition(|one| wanted(verdict(one)));
    let crashed = tries.iter().position(|one| verdict(one) == Verdict::Crashed);
    if let Some(index) = crashed {
        return Some((index, Outcome { verdict: Verdict::Crashed, flaky: false }));
    }
    let ran = last(|verdict| verdict != Verdict::NotRun);
    let red = last(Verdict::is_red);
    let (index, flaky) = match (ran, red) {
        (Some(ran), Some(red)) if ran > red && verdict(&tries[ran]) == Verdict::Passed => {
            (ran, true)
        }
        (Some(_), Some(red)) => (red, false),
        (Some(ran), None) => (ran, false),
        (None, _) => (tries.len().checked_sub(1)?, false),
    };
    Some((index, Outcome { verdict: verdict(&tries[index]), flaky }))
}

/// Whether a new verdict of a try replaces the one it has. The first one counts; but "not run" is
/// the absence of a verdict, and whatever did happen takes its place.
#[must_use]
pub fn replaces(old: Verdict, new: Verdict) -> bool {
    old == Verdict::NotRun && new != Verdict::NotRun
}

#[cfg(test)]
mod tests {
    use Verdict::{Crashed, Failed, NotRun, Passed, Skipped, TimedOut};

    use super::*;

    fn outcome(verdicts: &[Verdict]) -> (Verdict, bool) {
        let tries: Vec<Try> = (1..)
            .zip(verdicts)
            .map(|(number, verdict)| Try {
                verdict: *verdict,
                ..Try::not_run(number, String::new(), false, None)
            })
            .collect();
        let (index, outcome) = conclude(&tries).expect("there are tries");
        assert_eq!(tries[index].verdict, outcome.verdict);
        (outcome.verdict, outcome.flaky)
    }

    #[test]
    fn the_last_try_counts() {
        assert_eq!(outcome(&[Passed]), (Passed, false));
        assert_eq!(outcome(&[Passed, Failed]), (Failed, false));
        assert_eq!(outcome(&[Failed, Passed]), (Passed, true));
        assert_eq!(outcome(&[Failed, Passed, Failed]), (Failed, false));
    }

    #[test]
    fn a_crash_is_final() {
        assert_eq!(outcome(&[Crashed, Passed]), (Crashed, false));
        assert_eq!(outcome(&[Failed, Crashed, Passed]), (Crashed, false));
        assert_eq!(outcome(&[Failed, TimedOut, Passed]), (Passed, true));
    }

    #[test]
    fn only_a_pass_takes_red_back() {
        assert_eq!(outcome(&[Failed, Skipped]), (Failed, false));
        assert_eq!(outcome(&[Failed, NotRun]), (Failed, false));
    }

    #[test]
    fn a_try_that_ran_says_more_than_one_that_did_not() {
        assert_eq!(outcome(&[Passed, NotRun]), (Passed, false));
        assert_eq!(outcome(&[NotRun, NotRun]), (NotRun, false));
        assert_eq!(conclude(&[]), None);
    }
}
