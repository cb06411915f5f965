//! Names that are like one that was meant: what a user is told instead of nothing.

use std::collections::BTreeSet;

use muletrain_proto::inventory::{Class, Inventory};
use muletrain_proto::journal::Unmatched;
use muletrain_proto::run::Selection;

use super::label::{Target, to_dotted};
use super::select::{ClassPattern, NamePattern};

/// How like two names must be, from 0 to 1.
const LIKENESS: f64 = 0.7;

/// How much less like than the best a name may be: long names are all a bit like one another.
const SLACK: f64 = 0.1;

/// Names that are told at most.
const COUNT: usize = 3;

/// What a label is called beside the other arguments.
const LABEL: &str = "label";

/// Those of some names that are most like one that is none of them, the most like first.
#[must_use]
pub fn like<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    most(names, |name| strsim::normalized_damerau_levenshtein(wanted, name))
}

/// The same of dotted names, of which the last part may be all that was meant.
fn like_dotted<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    most(names, |name| {
        let part = match wanted.contains('.') {
            true => name,
            false => name.rsplit('.').next().unwrap_or(name),
        };
        strsim::normalized_damerau_levenshtein(wanted, part)
    })
}

fn most<'a>(
    names: impl IntoIterator<Item = &'a str>,
    likeness: impl Fn(&str) -> f64,
) -> Vec<String> {
    let names: BTreeSet<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    let mut near: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (likeness(name), name))
        .filter(|(likeness, _)| *likeness > LIKENESS)
        .collect();
    near.sort_by(|left, right| right.0.total_cmp(&left.0));
    let best = near.first().map_or(0.0, |(likeness, _)| *likeness);
    near.retain(|(likeness, _)| best - likeness < SLACK);
    near.into_iter().take(COUNT).map(|(_, name)| name.to_owned()).collect()
}

/// What of a selection and of labels may match nothing: arguments and their values.
#[must_use]
pub fn asked<'a>(selection: &'a Selection, targets: &[&'a Target]) -> Vec<(&'static str, &'a str)> {
    let lists = [
        ("--include", &selection.include),
        ("--exclude", &selection.exclude),
        ("--tag", &selection.tags),
        ("--exclude-tag", &selection.exclude_tags),
        ("-k", &selection.patterns),
    ];
    let values = lists
        .into_iter()
        .flat_map(|(argument, values)| values.iter().map(move |value| (argument, value.as_str())));
    let labels = targets.iter().filter(|target| is_picky(target));
    values.chain(labels.map(|target| (LABEL, target.label.as_str()))).collect()
}

/// What of a selection and of labels matches nothing at all in what was collected.
#[must_use]
pub fn unmatched(
    selection: &Selection,
    targets: &[&Target],
    inventory: &Inventory,
) -> Vec<Unmatched> {
    let classes = || inventory.classes.iter();
    let names: Vec<&str> = classes().map(|class| class.id.as_str()).collect();
    let tags: BTreeSet<&str> = classes().flat_map(tags_of).collect();
    let mut missing = Vec::new();
    for (flag, patterns) in [("--include", &selection.include), ("--exclude", &selection.exclude)] {
        let is_none = |pattern: &&String| match ClassPattern::new(pattern) {
            Ok(wanted) => !classes().any(|class| wanted.matches(class)),
            Err(_) => false,
        };
        for pattern in patterns.iter().filter(is_none) {
            let bases = classes().flat_map(|class| class.bases.iter().map(String::as_str));
            let near = like_dotted(pattern, names.iter().copied().chain(bases));
            missing.push(nothing(
                flag,
                pattern,
                format!("no class matches {flag} {pattern:?}"),
                near,
            ));
        }
    }
    for (flag, wanted) in [("--tag", &selection.tags), ("--exclude-tag", &selection.exclude_tags)] {
        for tag in wanted.iter().filter(|tag| !tags.contains(tag.as_str())) {
            let near = like(tag, tags.iter().copied());
            missing.push(nothing(
                flag,
                tag,
                format!("no test has the tag {tag:?} of {flag}"),
                near,
            ));
        }
    }
    let ids = || classes().flat_map(|class| &class.tests);
    for pattern in &selection.patterns {
        let Ok(wanted) = NamePattern::new(pattern) else { continue };
        if !ids().any(|test| wanted.matches(test)) {
            let methods = ids().filter_map(|test| test.id.as_str().rsplit('.').next());
            let near = like_dotted(pattern, names.iter().copied().chain(methods));
            missing.push(nothing("-k", pattern, format!("no test matches -k {pattern:?}"), near));
        }
    }
    missing.extend(targets.iter().filter_map(|target| unmatched_target(target, inventory)));
    missing
}

/// Whether a label names less than an app or a module, which are there as files show.
fn is_picky(target: &Target) -> bool {
    target.member.is_some() || target.glob.is_some()
}

fn unmatched_target(target: &Target, inventory: &Inventory) -> Option<Unmatched> {
    let mut tests = inventory
        .classes
        .iter()
        .flat_map(|class| class.tests.iter().map(move |test| (class, &test.id)));
    if !is_picky(target) || tests.any(|(class, test)| target.wants(class, test)) {
        return None;
    }
    let label = &target.label;
    let Some(member) = &target.member else {
        return Some(nothing(LABEL, label, format!("no test matches the label {label:?}"), vec![]));
    };
    let of_app = || inventory.classes.iter().filter(|class| class.app == member.app);
    let classes: Vec<String> = of_app().map(|class| last_part(class.id.as_str())).collect();
    let (what, near) = match (&member.method, classes.contains(&member.class)) {
        (Some(method), true) => {
            let of_class = of_app().filter(|class| last_part(class.id.as_str()) == member.class);
            let methods: Vec<String> = of_class
                .flat_map(|class| &class.tests)
                .map(|test| last_part(test.id.as_str()))
                .collect();
            let near = like(method, methods.iter().map(String::as_str));
            (format!("{} of app {} has no test {method}", member.class, member.app), near)
        }
        _ => {
            let near = like(&member.class, classes.iter().map(String::as_str));
            (format!("app {} has no test class {}", member.app, member.class), near)
        }
    };
    Some(nothing(LABEL, label, what, near))
}

fn nothing(argument: &str, value: &str, what: String, near: Vec<String>) -> Unmatched {
    Unmatched { argument: argument.to_owned(), value: value.to_owned(), what, near }
}

fn last_part(id: &str) -> String {
    to_dotted(id).rsplit('.').next().unwrap_or_default().to_owned()
}

fn tags_of(class: &Class) -> impl Iterator<Item = &str> {
    let of_tests = class.tests.iter().flat_map(|test| &test.tags);
    class.tags.iter().chain(of_tests).map(String::as_str)
}

/// What a user is told of it.
#[must_use]
pub fn note(unmatched: &Unmatched) -> String {
    match &unmatched.near[..] {
        [] => unmatched.what.clone(),
        near => format!("{}; did you mean {}?", unmatched.what, near.join(" or ")),
    }
}

/// The same argument, which matches nothing in either of two suites.
#[must_use]
pub fn in_neither(one: &Unmatched, other: &Unmatched) -> Unmatched {
    let names = one.near.iter().chain(&other.near).map(String::as_str);
    Unmatched { near: like_dotted(&one.value, names), ..one.clone() }
}

#[cfg(test)]
#[path = "near_tests.rs"]
mod tests;
