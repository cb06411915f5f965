//! Every test of a run that is over, in the order of the report.

use muletrain_proto::id::TestId;

use super::TestState;
use super::names::Names;
use super::tries::Tried;
use crate::pure::summary::{ClassInfo, Outcome, TestReport, Try};
use crate::pure::verdict::conclude_by;
use crate::pure::words::{Lines, Told, Words};

/// Every test of a run that is over.
#[derive(Debug, Default)]
pub struct Tests {
    pub(super) states: Vec<TestState>,
    pub(super) order: Vec<u32>,
    pub(super) words: Words,
    pub(super) names: Names,
}

impl Tests {
    /// Keeps those that have to be told, and puts them in order: by app and then as inventories
    /// have them. One without any try has not run, for this reason.
    pub fn settle(&mut self, classes: &[ClassInfo], collected: bool, missing: &str) {
        let mut apps: Vec<usize> = (0..classes.len()).collect();
        apps.sort_by(|one, other| classes[*one].app.cmp(&classes[*other].app));
        let mut ranks = vec![0_u32; classes.len()];
        for pair in apps.windows(2) {
            let next = u32::from(classes[pair[0]].app != classes[pair[1]].app);
            ranks[pair[1]] = ranks[pair[0]] + next;
        }
        let told = |place: &u32| self.states[*place as usize].must_be_told(collected);
        let all = 0..u32::try_from(self.states.len()).unwrap_or(u32::MAX);
        self.order = all.filter(told).collect();
        let key = |place: &u32| {
            let test = &self.states[*place as usize];
            (ranks[test.class()], test.rank())
        };
        self.order.sort_unstable_by_key(key);
        for place in &self.order {
            let test = &mut self.states[*place as usize];
            if test.tries.is_empty() {
                let reason = match test.is_begun() {
                    true => format!("{missing} while it was running"),
                    false => missing.to_owned(),
                };
                let mut tried = Tried::new(&Try::not_run(1, String::new(), true, None));
                tried.words = self.words.reason(&reason);
                test.tries.put(tried);
            }
        }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The test in a place of the order.
    #[must_use]
    pub fn at(&self, place: usize) -> &TestState {
        &self.states[self.order[place] as usize]
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &TestState> {
        self.order.iter().map(|place| &self.states[*place as usize])
    }

    /// The id of a test.
    #[must_use]
    pub fn id(&self, classes: &[ClassInfo], test: &TestState) -> TestId {
        let text = self.names.pieces(classes[test.class()].id.as_str(), test.name).concat();
        TestId::new(text).expect("it was a test's id before")
    }

    /// The part of a test's id that its class does not say; all of it where it says nothing.
    #[must_use]
    pub fn method(&self, test: &TestState) -> &str {
        self.names.rest(test.name)
    }

    /// A test as a report has it. `words` gives what each try has to say.
    pub fn report(
        &self,
        classes: &[ClassInfo],
        test: &TestState,
        mut words: impl FnMut(&Tried, bool) -> Told,
    ) -> TestReport {
        let (index, outcome) = test.outcome();
        let mut tries = Vec::with_capacity(test.tries.len());
        for (place, tried) in test.tries.iter().enumerate() {
            tries.push(tried.with(words(tried, place == index)));
        }
        let decisive = tries.remove(index);
        TestReport {
            id: self.id(classes, test),
            class: test.class(),
            line: None,
            outcome,
            decisive,
            others: tries,
        }
    }

    /// What a try has to say.
    ///
    /// # Errors
    /// In words, when that stands in a journal that cannot be read again.
    pub fn told(&self, tried: &Tried, lines: &dyn Lines) -> Result<Told, String> {
        self.words.told(tried.words, lines)
    }
}

impl TestState {
    /// Which try decides, and what it comes to.
    #[must_use]
    pub fn outcome(&self) -> (usize, Outcome) {
        conclude_by(&self.tries, |tried| tried.verdict).expect("a settled test has a try")
    }

    /// The try that decides.
    #[must_use]
    pub fn decisive(&self) -> &Tried {
        &self.tries[self.outcome().0]
    }
}
