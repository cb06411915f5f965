//! Every test heard of, where it belongs, and the tries it had.

use std::collections::HashMap;

use muletrain_proto::id::{AppLabel, ClassId, TestId};
use muletrain_proto::inventory::{Class, Inventory};
use muletrain_proto::outcome::{Failure, Output};
use muletrain_proto::verdict::Verdict;

use super::summary::{ClassInfo, Try};
use super::verdict;

/// Every test heard of.
#[derive(Debug, Default)]
pub struct Catalog {
    /// Classes, in the order heard of.
    pub classes: Vec<ClassInfo>,
    /// Tests, in the order heard of.
    pub tests: Vec<TestState>,
    by_test: HashMap<TestId, usize>,
    by_class: HashMap<ClassId, usize>,
    ranked: usize,
}

/// A test and the tries it had.
#[derive(Debug)]
pub struct TestState {
    /// Which.
    pub id: TestId,
    /// Place of its class.
    pub class: usize,
    /// How surely it has to be accounted for, and where it stands.
    pub rank: (Source, usize),
    /// Its tries by number, in order.
    pub tries: Vec<Try>,
    /// Whether a try of it was ever begun.
    pub begun: bool,
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
        for class in &inventory.classes {
            let index = self.class(class, source);
            for test in &class.tests {
                self.list(&test.id, index, source);
            }
        }
    }

    /// The test, made known if it was not.
    pub fn test(&mut self, id: &TestId, app: Option<&AppLabel>) -> &mut TestState {
        if let Some(index) = self.by_test.get(id) {
            return &mut self.tests[*index];
        }
        let class = self.guess(id, app);
        let index = self.list(id, class, Source::Heard);
        &mut self.tests[index]
    }

    /// What is known of a test.
    #[must_use]
    pub fn get(&self, id: &TestId) -> Option<&TestState> {
        Some(&self.tests[*self.by_test.get(id)?])
    }

    /// Takes note of the memory that a class took; its pods may have been several.
    pub fn remember_peak(&mut self, class: &ClassId, peak_kib: Option<u64>) {
        if let Some(index) = self.by_class.get(class) {
            let known = &mut self.classes[*index].peak_kib;
            *known = (*known).max(peak_kib);
        }
    }

    /// What is known of a class.
    #[must_use]
    pub fn class_info(&self, id: &ClassId) -> Option<&ClassInfo> {
        Some(&self.classes[*self.by_class.get(id)?])
    }

    fn class(&mut self, class: &Class, source: Source) -> usize {
        let known = self.by_class.get(&class.id).map(|index| &self.classes[*index]);
        let info = ClassInfo {
            peak_kib: known.and_then(|class| class.peak_kib),
            id: class.id.clone(),
            app: class.app.clone(),
            module: module_of(class),
            file: Some(class.file.clone()).filter(|file| !file.is_empty()),
            line: class.line,
        };
        match self.by_class.get(&class.id) {
            Some(index) => {
                if source == Source::Inventory || self.classes[*index].file.is_none() {
                    self.classes[*index] = info;
                }
                *index
            }
            None => self.insert_class(info),
        }
    }

    fn list(&mut self, id: &TestId, class: usize, source: Source) -> usize {
        let next = self.tests.len();
        let index = *self.by_test.entry(id.clone()).or_insert(next);
        let rank = (source, self.ranked);
        self.ranked += 1;
        match self.tests.get_mut(index) {
            Some(test) if source < test.rank.0 => {
                test.rank = rank;
                test.class = class;
            }
            Some(_) => {}
            None => {
                let id = id.clone();
                self.tests.push(TestState { id, class, rank, tries: Vec::new(), begun: false });
            }
        }
        index
    }

    /// The class of a test that no inventory names, from its id.
    fn guess(&mut self, id: &TestId, app: Option<&AppLabel>) -> usize {
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

    fn insert_class(&mut self, info: ClassInfo) -> usize {
        let index = self.classes.len();
        self.by_class.insert(info.id.clone(), index);
        self.classes.push(info);
        index
    }
}

impl TestState {
    /// Whether a report has to account for it. What pods plan counts until the inventory is known.
    #[must_use]
    pub fn must_be_told(&self, collected: bool) -> bool {
        let planned = match self.rank.0 {
            Source::Inventory => true,
            Source::Planned => !collected,
            Source::Heard => false,
        };
        planned || self.begun || !self.tries.is_empty()
    }

    /// Keeps a try, unless it has a verdict already. Says whether it was news.
    pub fn record(&mut self, new: Try) -> bool {
        match self.tries.binary_search_by_key(&new.number, |old| old.number) {
            Ok(index) if verdict::replaces(self.tries[index].verdict, new.verdict) => {
                self.tries[index] = new;
                true
            }
            Ok(_) => false,
            Err(index) => {
                self.tries.insert(index, new);
                true
            }
        }
    }

    /// Tells more of a try that crashed.
    pub fn explain(&mut self, number: u32, failure: Failure, output: &Output) {
        let crashed = |one: &&mut Try| one.number == number && one.verdict == Verdict::Crashed;
        if let Some(one) = self.tries.iter_mut().find(crashed) {
            one.failures = vec![failure];
            one.output = output.clone();
        }
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
