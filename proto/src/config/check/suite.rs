//! `[[suite]]`: names, and keys that belong to another kind of suite.

use super::{none_blank, not_blank, variable, within_project};
use crate::config::suite::{Suite, SuiteKind};
use crate::id::SuiteName;

/// Checks all suites of a project.
pub(super) fn check(suites: &[Suite]) -> Result<(), String> {
    for (index, suite) in suites.iter().enumerate() {
        check_one(suite)?;
        if suites[..index].iter().any(|other| other.name == suite.name) {
            return Err(format!("two suites are called {:?}", suite.name));
        }
    }
    Ok(())
}

fn check_one(suite: &Suite) -> Result<(), String> {
    if suite.name.is_empty() {
        return Err("each [[suite]] needs a name".into());
    }
    let name = SuiteName::new(suite.name.as_str()).map_err(|error| error.to_string())?;
    if name.as_str().contains(':') {
        return Err(format!("suite name {:?} holds ':'", suite.name));
    }
    let key = |key: &str| format!("suite {name}: {key}");
    within_project(&key("path"), suite.path.as_deref())?;
    within_project(&key("manage"), suite.manage.as_deref())?;
    let texts = [
        ("settings", suite.settings.as_deref()),
        ("command", suite.command.as_deref()),
        ("list", suite.list.as_deref()),
    ];
    texts.iter().try_for_each(|(text, value)| not_blank(&key(text), *value))?;
    suite.junit.iter().try_for_each(|glob| within_project(&key("junit"), Some(glob)))?;
    let lists = [
        ("labels", &suite.labels),
        ("include", &suite.include),
        ("exclude", &suite.exclude),
        ("tags", &suite.tags),
        ("exclude_tags", &suite.exclude_tags),
        ("patterns", &suite.patterns),
    ];
    let mut given = lists.iter().filter_map(|(name, list)| Some((name, list.as_ref()?)));
    given.try_for_each(|(name, list)| none_blank(&key(name), list))?;
    suite.env.keys().try_for_each(|variable_name| variable(&key("env"), variable_name))?;
    check_kind(suite)
}

/// A key that a kind of suite does not know would be ignored.
fn check_kind(suite: &Suite) -> Result<(), String> {
    use SuiteKind::{Command, Django, Pytest, Unittest};

    let kind = suite.stated_kind();
    if kind == Some(Command) && suite.command.is_none() {
        return Err(format!("suite {} is of the kind command and has no command", suite.name));
    }
    let keys: [(&str, bool, &[SuiteKind]); 6] = [
        ("manage", suite.manage.is_some(), &[Django]),
        ("settings", suite.settings.is_some(), &[Django, Pytest]),
        ("arguments", !suite.arguments.is_empty(), &[Pytest, Unittest]),
        ("command", suite.command.is_some(), &[Command]),
        ("list", suite.list.is_some(), &[Command]),
        ("junit", !suite.junit.is_empty(), &[Command]),
    ];
    let of_another =
        |known: &[SuiteKind]| kind.map_or(known == [Command], |kind| !known.contains(&kind));
    match keys.iter().find(|(_, given, known)| *given && of_another(known)) {
        Some((key, ..)) => Err(format!(
            "suite {}: {key} does not belong to a suite of this kind; see `kind`",
            suite.name
        )),
        None => Ok(()),
    }
}
