//! What files show of a label before anything is built: whether there is such a class at all.

use muletrain_proto::snapshot::App;

use super::label::to_dotted;
use super::near;

/// A class that a label names in a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'a> {
    /// The module's file, relative to the root.
    pub file: &'a str,
    /// The class's own name.
    pub class: String,
}

/// A class that its module does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} has no class {class}{}", hint(near))]
pub struct Missing {
    /// The module's file.
    pub file: String,
    /// The class.
    pub class: String,
    /// Classes that are like it.
    pub near: Vec<String>,
}

fn hint(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; did you mean {}?", near.join(" or ")),
    }
}

/// Ways in which a module can have classes whose names do not stand in it.
const HIDDEN: [&str; 7] =
    ["import *", "globals(", "setattr(", "type(", "load_tests", "parameterized", "__getattr__"];

/// The class that a label names in a test module; none where it names something else.
#[must_use]
pub fn class_of<'a>(label: &str, apps: &'a [App]) -> Option<Named<'a>> {
    if label.contains(['*', '?', '/', ':']) {
        return None;
    }
    let files = apps.iter().flat_map(|app| &app.test_files);
    files
        .filter_map(|file| {
            let rest = label.strip_prefix(to_dotted(file).as_str())?.strip_prefix('.')?;
            let class = rest.split('.').next().filter(|class| !class.is_empty())?;
            Some(Named { file, class: class.to_owned() })
        })
        // A package's `__init__.py` may bear tests beside its modules.
        .min_by_key(|named| named.class.len())
}

/// Says that a module cannot have a class, by its text.
///
/// # Errors
/// When neither the class's name nor anything that could make one stands in the text.
pub fn check(named: &Named<'_>, text: &str) -> Result<(), Missing> {
    let is_word = |word: &&str| *word == named.class;
    let words = || text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    if words().any(|word| is_word(&word)) || HIDDEN.iter().any(|hidden| text.contains(hidden)) {
        return Ok(());
    }
    let classes = text.lines().filter_map(|line| {
        let name = line.trim_start().strip_prefix("class ")?;
        name.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()
    });
    Err(Missing {
        file: named.file.to_owned(),
        class: named.class.clone(),
        near: near::like(&named.class, classes),
    })
}

#[cfg(test)]
mod tests {
    use muletrain_proto::id::AppLabel;

    use super::*;

    fn apps() -> Vec<App> {
        vec![App {
            label: AppLabel::new("shop").unwrap(),
            module: "shop".into(),
            path: "shop".into(),
            test_files: vec!["shop/tests/test_cart.py".into(), "shop/tests/test_pay.py".into()],
            suite: muletrain_proto::id::SuiteName::default(),
        }]
    }

    fn said(label: &str, text: &str) -> String {
        let apps = apps();
        let named = class_of(label, &apps).unwrap();
        check(&named, text).map_or_else(|missing| missing.to_string(), |()| String::new())
    }

    #[test]
    fn a_mistyped_class_is_told_with_what_is_like_it() {
        let text = "from django.test import TestCase\n\nclass CartTest(TestCase):\n    pass\n";
        assert_eq!(
            said("shop.tests.test_cart.CratTest.test_a", text),
            "shop/tests/test_cart.py has no class CratTest; did you mean CartTest?"
        );
        assert_eq!(said("shop.tests.test_cart.CartTest.test_a", text), "");
        assert_eq!(
            said("shop.tests.test_cart.Xyz", text),
            "shop/tests/test_cart.py has no class Xyz"
        );
    }

    #[test]
    fn a_class_that_may_come_from_elsewhere_is_not_refused() {
        for text in ["from .base import CartTest", "from .base import *", "X = type('X', (), {})"] {
            assert_eq!(said("shop.tests.test_pay.CartTest", text), "", "{text}");
        }
    }

    #[test]
    fn labels_that_name_no_class_are_left_alone() {
        for label in ["shop", "shop.tests", "shop.tests.test_cart", "shop.CartTest", "shop.*"] {
            assert_eq!(class_of(label, &apps()), None, "{label}");
        }
    }
}
