//! Exact counts of a document, suite by suite: what a first pass finds and a second one writes.

use muletrain_proto::seconds::Seconds;

use super::case::{Class, class};
use super::times::micros;
use super::{Element, Part};

/// How many cases ended how, in JUnit's four words, and how long they took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// All of them.
    pub tests: u32,
    /// Failed.
    pub failures: u32,
    /// Ended in an error.
    pub errors: u32,
    /// Did not run.
    pub skipped: u32,
    /// Microseconds, so that sums are the same in every order.
    pub micros: u64,
}

impl Counts {
    /// Those of one case.
    #[must_use]
    pub fn of(class: Class, micros: u64) -> Self {
        let mut counts = Self { micros, ..Self::default() };
        counts.count(class);
        counts
    }

    fn count(&mut self, class: Class) {
        self.tests += 1;
        match class {
            Class::Passed => {}
            Class::Skipped => self.skipped += 1,
            Class::Failed => self.failures += 1,
            Class::Error => self.errors += 1,
        }
    }

    fn add(&mut self, other: &Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
        self.micros = self.micros.saturating_add(other.micros);
    }

    /// The time of everything counted.
    #[must_use]
    pub fn time(&self) -> Seconds {
        std::time::Duration::from_micros(self.micros).into()
    }
}

/// The counts of one file that is written.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct File {
    /// Of all its suites.
    pub total: Counts,
    /// Of each suite with what is nested in it, in the order they begin.
    pub suites: Vec<Counts>,
    /// Attributes that the roots of everything read for it agree on.
    pub root: Option<Vec<(String, String)>>,
}

impl File {
    /// Of pieces that follow each other in one file, all but their suites.
    #[must_use]
    pub fn of_pieces<'a>(pieces: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut whole = Self::default();
        for piece in pieces {
            whole.total.add(&piece.total);
            if let Some(root) = &piece.root {
                whole.agree(root);
            }
        }
        whole
    }

    /// Takes a root into account.
    pub fn agree(&mut self, root: &[(String, String)]) {
        match &mut self.root {
            None => self.root = Some(root.to_vec()),
            Some(agreed) => agreed.retain(|attribute| root.contains(attribute)),
        }
    }
}

/// Names of the attributes of a file's root that its document does not have, since other files
/// differ.
#[must_use]
pub fn left_out<'a>(own: &'a File, document: &File) -> Vec<&'a str> {
    let agreed = document.root.as_deref().unwrap_or_default();
    let own = own.root.iter().flatten().filter(|attribute| !agreed.contains(attribute));
    own.map(|(name, _)| name.as_str()).collect()
}

/// Counts parts as they come.
#[derive(Debug)]
pub struct Tally {
    files: Vec<File>,
    /// Suites that are open: their place, and the time they say they took.
    open: Vec<(usize, Option<u64>)>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { files: vec![File::default()], open: Vec::new() }
    }
}

impl Tally {
    /// Counts the next part.
    pub fn take(&mut self, part: &Part) {
        match part {
            Part::Root(root) => self.root(root),
            Part::Open(suite) => {
                let file = self.file();
                let place = file.suites.len();
                file.suites.push(Counts::default());
                self.open.push((place, suite.get("time").and_then(micros)));
            }
            Part::Aside(element) => self.aside(element),
            Part::Case(case) => {
                self.add(&Counts::of(class(case), time(case)));
            }
            Part::Plain(case) => self.add(&case.counts),
            Part::Close => self.close(),
            Part::Break => {
                let root = self.file().root.clone();
                self.files.push(File { root, ..File::default() });
            }
        }
    }

    /// Counts a case that somebody else has read.
    pub fn add(&mut self, case: &Counts) {
        self.here().add(case);
    }

    /// The counts of every file.
    #[must_use]
    pub fn finish(mut self) -> Vec<File> {
        while !self.open.is_empty() {
            self.close();
        }
        self.files
    }

    fn file(&mut self) -> &mut File {
        self.files.last_mut().expect("there is one from the beginning")
    }

    /// What the innermost open suite counts, or the file where none is open.
    fn here(&mut self) -> &mut Counts {
        let place = self.open.last().map(|(place, _)| *place);
        let file = self.file();
        match place {
            Some(place) => &mut file.suites[place],
            None => &mut file.total,
        }
    }

    /// The time a suite states counts for all that is in it: fixtures take time too.
    fn close(&mut self) {
        let Some((place, stated)) = self.open.pop() else { return };
        let suite = &mut self.file().suites[place];
        suite.micros = stated.unwrap_or(suite.micros);
        let suite = *suite;
        self.here().add(&suite);
    }

    /// A suite that ended in an error itself, as Jenkins reads it.
    fn aside(&mut self, element: &Element) {
        let here = self.here();
        match element.name.as_str() {
            "error" => here.errors += 1,
            "failure" => here.failures += 1,
            _ => {}
        }
    }

    fn root(&mut self, root: &Element) {
        self.file().agree(&root.attributes);
    }
}

fn time(case: &Element) -> u64 {
    case.get("time").and_then(micros).unwrap_or_default()
}

/// Whether a file's own counts are written anew, and so are none of its content.
#[must_use]
pub fn is_count(name: &str) -> bool {
    matches!(name, "tests" | "failures" | "errors" | "skipped" | "skips" | "skip")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(time: Option<&str>) -> Part {
        Part::Open(Element::new("testsuite").with_some("time", time))
    }

    fn case(child: Option<&str>) -> Part {
        let case = Element::new("testcase").with("time", "0.1");
        Part::Case(match child {
            Some(child) => case.with_child(Element::new(child)),
            None => case,
        })
    }

    #[test]
    fn suites_count_what_is_nested_in_them() {
        let mut tally = Tally::default();
        for part in [
            suite(None),
            case(None),
            suite(Some("5")),
            case(Some("failure")),
            Part::Close,
            case(Some("skipped")),
            Part::Close,
            suite(None),
            case(Some("error")),
        ] {
            tally.take(&part);
        }
        let files = tally.finish();
        let shown = |one: &Counts| (one.tests, one.failures, one.errors, one.skipped, one.micros);
        assert_eq!(
            files[0].suites.iter().map(shown).collect::<Vec<_>>(),
            [(3, 1, 0, 1, 5_200_000), (1, 1, 0, 0, 5_000_000), (1, 0, 1, 0, 100_000)]
        );
        assert_eq!(shown(&files[0].total), (4, 1, 1, 1, 5_300_000));
    }

    #[test]
    fn roots_keep_what_they_agree_on() {
        let root = |name: &str| {
            let root = Element::new("testsuites").with("name", name).with("kind", "unit");
            Part::Root(root)
        };
        let agreed = |names: &[&str]| {
            let mut tally = Tally::default();
            names.iter().for_each(|name| tally.take(&root(name)));
            tally.finish()[0].root.clone().unwrap().len()
        };
        assert_eq!((agreed(&["a"]), agreed(&["a", "a"]), agreed(&["a", "b", "a"])), (2, 2, 1));
    }
}
