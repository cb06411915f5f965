//! Selection on the inventory: by label member, subclass, tag and name.

use muletrain_proto::inventory::{Class, Inventory, Test};
use muletrain_proto::run::Selection;

use super::label::{self, Target, to_dotted};
pub use super::pattern::Error;
use super::pattern::Pattern;

/// A selection, ready to be asked.
#[derive(Debug)]
pub struct Selector {
    include: Vec<ClassPattern>,
    exclude: Vec<ClassPattern>,
    patterns: Vec<NamePattern>,
    selection: Selection,
}

/// Classes, by name or glob.
#[derive(Debug, Clone)]
pub(super) enum ClassPattern {
    Class(String),
    Glob(Pattern),
}

/// Tests, by a part of their id or a glob over it.
#[derive(Debug)]
pub(super) enum NamePattern {
    Substring(String),
    Glob(Pattern),
}

impl ClassPattern {
    pub(super) fn new(pattern: &str) -> Result<Self, Error> {
        match pattern.contains(['*', '?', '[', '{']) {
            true => Ok(Self::Glob(Pattern::new(pattern)?)),
            false => Ok(Self::Class(pattern.to_owned())),
        }
    }

    /// Subclasses match a class; a dotted prefix matches all classes below it.
    pub(super) fn matches(&self, class: &Class) -> bool {
        match self {
            Self::Glob(glob) => {
                glob.matches(class.id.as_str()) || glob.matches(&to_dotted(class.id.as_str()))
            }
            Self::Class(name) => {
                let (name, id) = (to_dotted(name), to_dotted(class.id.as_str()));
                id == name
                    || id.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'))
                    || class.bases.contains(&name)
            }
        }
    }
}

impl NamePattern {
    /// As `-k` of unittest: a star makes it a glob over the whole id, else it is a substring.
    pub(super) fn new(pattern: &str) -> Result<Self, Error> {
        match pattern.contains('*') {
            true => Ok(Self::Glob(Pattern::new(pattern)?)),
            false => Ok(Self::Substring(pattern.to_owned())),
        }
    }

    pub(super) fn matches(&self, test: &Test) -> bool {
        match self {
            Self::Glob(glob) => {
                glob.matches(test.id.as_str()) || glob.matches(&to_dotted(test.id.as_str()))
            }
            Self::Substring(text) => {
                test.id.as_str().contains(text.as_str())
                    || to_dotted(test.id.as_str()).contains(text.as_str())
            }
        }
    }
}

impl Selector {
    /// Prepares a selection.
    ///
    /// # Errors
    /// When one of its patterns is none.
    pub fn new(selection: &Selection) -> Result<Self, Error> {
        let classes = |patterns: &[String]| {
            patterns.iter().map(|pattern| ClassPattern::new(pattern)).collect::<Result<_, _>>()
        };
        Ok(Self {
            include: classes(&selection.include)?,
            exclude: classes(&selection.exclude)?,
            patterns: selection
                .patterns
                .iter()
                .map(|pattern| NamePattern::new(pattern))
                .collect::<Result<_, _>>()?,
            selection: selection.clone(),
        })
    }

    /// Leaves of an inventory what is wanted, and tells how many tests are not.
    ///
    /// Load errors always stay, as with unittest's `-k`: nobody can know what is inside.
    #[must_use]
    pub fn select(&self, mut inventory: Inventory, targets: &[&Target]) -> (Inventory, u32) {
        let before = inventory.test_count();
        inventory.classes.retain_mut(|class| {
            let mut tests = std::mem::take(&mut class.tests);
            tests.retain(|test| {
                label::wants(targets, class, &test.id) && self.wants_test(class, test)
            });
            class.tests = tests;
            !class.tests.is_empty() && self.wants_class(class)
        });
        let left_out = before - inventory.test_count();
        (inventory, u32::try_from(left_out).unwrap_or(u32::MAX))
    }

    fn wants_class(&self, class: &Class) -> bool {
        let any = |patterns: &[ClassPattern]| patterns.iter().any(|p| p.matches(class));
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }

    fn wants_test(&self, class: &Class, test: &Test) -> bool {
        let tagged = |tags: &[String]| {
            tags.iter().any(|tag| class.tags.contains(tag) || test.tags.contains(tag))
        };
        (self.selection.tags.is_empty() || tagged(&self.selection.tags))
            && !tagged(&self.selection.exclude_tags)
            && (self.patterns.is_empty() || self.patterns.iter().any(|p| p.matches(test)))
    }
}

#[cfg(test)]
mod tests {
    use muletrain_proto::id::{AppLabel, ClassId, TestId};

    use super::*;

    fn inventory() -> Inventory {
        let class = |id: &str, base: &str, tags: &[&str], tests: &[(&str, &str)]| Class {
            id: ClassId::new(id).unwrap(),
            app: AppLabel::new("shop").unwrap(),
            module: "shop.tests".into(),
            file: "shop/tests.py".into(),
            line: None,
            phase: 0,
            whole_module: false,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            databases: vec![],
            bases: vec![base.to_owned()],
            tests: tests
                .iter()
                .map(|(name, tag)| Test {
                    id: TestId::new(format!("{id}.{name}")).unwrap(),
                    tags: if tag.is_empty() { vec![] } else { vec![(*tag).to_owned()] },
                })
                .collect(),
        };
        Inventory {
            classes: vec![
                class(
                    "shop.tests.Cart",
                    "django.test.testcases.TestCase",
                    &["fast"],
                    &[("test_add", ""), ("test_drop", "slow")],
                ),
                class(
                    "shop.tests.Browser",
                    "django.test.testcases.LiveServerTestCase",
                    &[],
                    &[("test_click", "slow")],
                ),
            ],
            errors: vec![],
        }
    }

    fn left(selection: &Selection) -> Vec<String> {
        let (inventory, _) = Selector::new(selection).unwrap().select(inventory(), &[]);
        let tests = inventory.classes.iter().flat_map(|class| &class.tests);
        tests.map(|test| test.id.to_string().replace("shop.tests.", "")).collect()
    }

    fn list(text: &str) -> Vec<String> {
        vec![text.to_owned()]
    }

    #[test]
    fn subclasses_match_what_is_included_or_excluded() {
        let base = list("django.test.testcases.LiveServerTestCase");
        assert_eq!(
            left(&Selection { include: base.clone(), ..Selection::default() }),
            ["Browser.test_click"]
        );
        assert_eq!(left(&Selection { exclude: base, ..Selection::default() }).len(), 2);
        assert_eq!(left(&Selection { include: list("*.Cart"), ..Selection::default() }).len(), 2);
    }

    #[test]
    fn tags_of_class_and_method_count() {
        assert_eq!(left(&Selection { tags: list("fast"), ..Selection::default() }).len(), 2);
        assert_eq!(
            left(&Selection { exclude_tags: list("slow"), ..Selection::default() }),
            ["Cart.test_add"]
        );
    }

    #[test]
    fn names_match_as_with_unittest() {
        assert_eq!(left(&Selection { patterns: list("Cart"), ..Selection::default() }).len(), 2);
        assert_eq!(
            left(&Selection { patterns: list("*_click"), ..Selection::default() }),
            ["Browser.test_click"]
        );
        assert!(
            Selector::new(&Selection { patterns: list("*["), ..Selection::default() }).is_err()
        );
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let selection = Selection { tags: list("slow"), ..Selection::default() };
        assert_eq!(Selector::new(&selection).unwrap().select(inventory(), &[]).1, 1);
    }
}
