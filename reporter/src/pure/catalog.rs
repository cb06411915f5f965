//! Every test heard of, where it belongs, and the tries it had. A run may have millions of tests,
//! so what is kept of one is small.

mod index;
mod names;
mod tests;
mod tries;

use std::cell::Cell;
use std::collections::HashMap;

use muletrain_proto::id::{AppLabel, ClassId, TestId};
use muletrain_proto::inventory::{Class, Inventory};
use muletrain_proto::outcome::{Failure, Output};
use muletrain_proto::verdict::Verdict;

use self::index::{Index, hash};
use self::names::{Name, Names};
pub use self::tests::Tests;
pub use self::tries::{Tried, Tries, worst};
use super::summary::{ClassInfo, Try};
use super::words::{Gone, Told, Which, Words};

/// Every test heard of.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Classes, in the order heard of.
    pub classes: Vec<ClassInfo>,
    /// Tests, in the order heard of.
    pub tests: Vec<TestState>,
    /// What tries have to say.
    pub words: Words,
    names: Names,
    index: Index,
    by_class: HashMap<ClassId, u32>,
    ranked: u32,
    /// The test that was asked for last.
    recent: Cell<usize>,
}

/// A test and the tries it had.
#[derive(Debug)]
pub struct TestState {
    name: Name,
    belongs: Belongs,
    order: u32,
    /// Its tries by number, in order.
    pub tries: Tries,
}

/// Place of a test's class, how it became known, and whether a try of it was ever begun: in one
/// number, because of the millions.
#[derive(Debug, Clone, Copy)]
struct Belongs(u32);

impl Belongs {
    const CLASS: u32 = (1 << 29) - 1;
    const BEGUN: u32 = 1 << 31;

    fn new(class: u32, source: Source) -> Self {
        Self((class & Self::CLASS) | ((source as u32) << 29))
    }

    fn class(self) -> usize {
        (self.0 & Self::CLASS) as usize
    }

    fn source(self) -> Source {
        match (self.0 >> 29) & 3 {
            0 => Source::Inventory,
            1 => Source::Planned,
            _ => Source::Heard,
        }
    }
}

/// How a test became known, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// It is in the inventory.
    Inventory,
    /// A pod said it would run it.
    Planned,
    /// Something happened to it.
    Heard,
}

impl Catalog {
    /// Takes in an inventory; what a stronger source says of a class or a test stays.
    pub fn extend(&mut self, inventory: &Inventory, source: Source) {
        inventory.classes.iter().for_each(|class| self.extend_class(class, source));
    }

    /// Takes in a class of an inventory.
    pub fn extend_class(&mut self, class: &Class, source: Source) {
        let index = self.class(class, source);
        for test in &class.tests {
            self.list(&test.id, index, source);
        }
    }

    /// The place of a test, made known if it was not.
    pub fn test(&mut self, id: &TestId, app: Option<&AppLabel>) -> usize {
        if let Some(index) = self.find(id) {
            return index;
        }
        let class = self.guess(id, app);
        self.list(id, class, Source::Heard)
    }

    /// What is known of a test.
    #[must_use]
    pub fn get(&self, id: &TestId) -> Option<&TestState> {
        Some(&self.tests[self.find(id)?])
    }

    /// The class of a test.
    #[must_use]
    pub fn class_of(&self, test: &TestState) -> &ClassInfo {
        &self.classes[test.class()]
    }

    /// A try with all it has to say, where that is kept here.
    #[must_use]
    pub fn told(&self, tried: &Tried) -> Try {
        tried.with(self.words.told(tried.words, &Gone).unwrap_or_default())
    }

    /// Keeps a try, unless it has a verdict already. Says whether it was news.
    pub fn record(
        &mut self,
        test: usize,
        mut new: Tried,
        words: impl FnOnce(&mut Words) -> Which,
    ) -> bool {
        let news = self.tests[test].tries.lacks(new.number, new.verdict);
        if news {
            new.words = words(&mut self.words);
            self.tests[test].tries.put(new);
        }
        news
    }

    /// Tells more of a try that crashed.
    pub fn explain(&mut self, test: usize, number: u32, failure: Failure, output: &Output) {
        let tries = self.tests[test].tries.all();
        let crashed = |one: &&mut Tried| one.number == number && one.verdict == Verdict::Crashed;
        if let Some(one) = tries.iter_mut().find(crashed) {
            let reason = self.words.here(one.words).and_then(|told| told.reason.clone());
            one.raised = Some(failure.kind);
            let told = Told { reason, failures: vec![failure], output: output.clone() };
            one.words = self.words.keep(told);
        }
    }

    /// Takes note of the memory that a class took; its pods may have been several.
    pub fn remember_peak(&mut self, class: &ClassId, peak_kib: Option<u64>) {
        if let Some(index) = self.by_class.get(class) {
            let known = &mut self.classes[*index as usize].peak_kib;
            *known = (*known).max(peak_kib);
        }
    }

    /// What is known of a class.
    #[must_use]
    pub fn class_info(&self, id: &ClassId) -> Option<&ClassInfo> {
        Some(&self.classes[*self.by_class.get(id)? as usize])
    }

    /// All that it knows, now that nothing more will be heard of any test.
    #[must_use]
    pub fn into_tests(self) -> (Vec<ClassInfo>, Tests) {
        let Self { classes, tests: states, words, names, .. } = self;
        (classes, Tests { states, order: Vec::new(), words, names })
    }

    fn find(&self, id: &TestId) -> Option<usize> {
        // Most tests are heard of twice in a row, and run in the order of the inventory.
        let recent = self.recent.get();
        let found = (recent..recent.saturating_add(2)).find(|place| self.is(*place, id));
        let found =
            found.or_else(|| self.index.find(hash([id.as_str()]), |place| self.is(place, id)));
        self.recent.set(found.unwrap_or(recent));
        found
    }

    fn is(&self, place: usize, id: &TestId) -> bool {
        self.tests.get(place).is_some_and(|test| {
            self.names.is(self.class_of(test).id.as_str(), test.name, id.as_str())
        })
    }

    fn class(&mut self, class: &Class, source: Source) -> u32 {
        let known = self.by_class.get(&class.id).copied();
        let info = ClassInfo {
            peak_kib: known.and_then(|index| self.classes[index as usize].peak_kib),
            id: class.id.clone(),
            app: class.app.clone(),
            module: module_of(class),
            file: Some(class.file.clone()).filter(|file| !file.is_empty()),
            line: class.line,
        };
        match known {
            Some(index) => {
                let old = &mut self.classes[index as usize];
                if source == Source::Inventory || old.file.is_none() {
                    *old = info;
                }
                index
            }
            None => self.insert_class(info),
        }
    }

    fn list(&mut self, id: &TestId, class: u32, source: Source) -> usize {
        let order = self.ranked;
        self.ranked = self.ranked.saturating_add(1);
        let known = self.find(id);
        let is_stronger = known.is_none_or(|index| source < self.tests[index].belongs.source());
        if let Some(index) = known.filter(|_| !is_stronger) {
            return index;
        }
        let name = self.classes[class as usize].id.as_str();
        match known {
            Some(index) => {
                let test = &mut self.tests[index];
                if test.class() != class as usize {
                    test.name = self.names.add(name, id.as_str());
                }
                test.order = order;
                let begun = test.belongs.0 & Belongs::BEGUN;
                test.belongs = Belongs(Belongs::new(class, source).0 | begun);
                index
            }
            None => {
                let name = self.names.add(name, id.as_str());
                let (index, tries) = (self.tests.len(), Tries::None);
                self.index.add(hash([id.as_str()]), index, |place| {
                    let test = &self.tests[place];
                    let class = self.classes[test.class()].id.as_str();
                    hash(self.names.pieces(class, test.name))
                });
                let belongs = Belongs::new(class, source);
                self.tests.push(TestState { name, belongs, order, tries });
                index
            }
        }
    }

    /// The class of a test that no inventory names, from its id.
    fn guess(&mut self, id: &TestId, app: Option<&AppLabel>) -> u32 {
        let name = id.as_str().rsplit_once('.').map_or(id.as_str(), |(class, _)| class);
        let class = ClassId::new(name).or_else(|_| ClassId::new(id.as_str()));
        let class = class.expect("a test id has the same alphabet as a class id and is not empty");
        if let Some(index) = self.by_class.get(&class) {
            return *index;
        }
        let module = name.rsplit_once('.').map_or(name, |(module, _)| module).to_owned();
        let app = app.cloned().unwrap_or_else(AppLabel::other);
        self.insert_class(ClassInfo {
            id: class,
            app,
            module,
            file: None,
            line: None,
            peak_kib: None,
        })
    }

    fn insert_class(&mut self, info: ClassInfo) -> u32 {
        let index = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
        self.by_class.insert(info.id.clone(), index);
        self.classes.push(info);
        index
    }
}

impl TestState {
    /// Place of its class.
    #[must_use]
    pub fn class(&self) -> usize {
        self.belongs.class()
    }

    /// Whether a try of it was ever begun.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.belongs.0 & Belongs::BEGUN != 0
    }

    /// Takes note that a try of it began.
    pub fn begin(&mut self) {
        self.belongs.0 |= Belongs::BEGUN;
    }

    /// How surely it has to be accounted for, and where it stands.
    #[must_use]
    pub fn rank(&self) -> (Source, u32) {
        (self.belongs.source(), self.order)
    }

    /// Whether a report has to account for it. What pods plan counts until the inventory is known.
    #[must_use]
    pub fn must_be_told(&self, collected: bool) -> bool {
        let planned = match self.belongs.source() {
            Source::Inventory => true,
            Source::Planned => !collected,
            Source::Heard => false,
        };
        planned || self.is_begun() || !self.tries.is_empty()
    }
}

/// The module whose suite a class belongs to: its own, which a base class or an import may differ
/// from the module in which the loader found it.
fn module_of(class: &Class) -> String {
    match class.id.as_str().strip_prefix(class.module.as_str()) {
        Some(rest) if rest.starts_with('.') => class.module.clone(),
        _ => class.id.as_str().rsplit_once('.').map_or("", |(module, _)| module).to_owned(),
    }
}

#[cfg(test)]
mod sizes {
    use super::*;

    #[test]
    fn a_million_tests_fit_into_fifty_megabytes() {
        assert!(size_of::<TestState>() <= 48, "{}", size_of::<TestState>());
    }

    #[test]
    fn what_a_test_belongs_to_is_kept_apart() {
        for source in [Source::Inventory, Source::Planned, Source::Heard] {
            let belongs = Belongs::new(123, source);
            assert_eq!((belongs.class(), belongs.source()), (123, source));
        }
    }
}
