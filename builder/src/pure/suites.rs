//! The suites of a project and their apps: as configured, or as its files show them.

use std::collections::BTreeSet;

use muletrain_proto::config::{self, Config, SuiteKind};
use muletrain_proto::id::{AppLabel, SuiteName};
use muletrain_proto::snapshot::App;
use muletrain_proto::suite::{Adapter, Suite};

use super::apps::{self, TestFiles};
use super::detection::{self, Detected, Folder, Texts};
use super::project::{Manage, find_manage, folder_of};

/// How a project's tests are run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Suites {
    /// At least one.
    pub suites: Vec<Suite>,
    /// Apps of all suites, with labels that differ.
    pub apps: Vec<App>,
    /// What was worked out, in words.
    pub notes: Vec<String>,
}

/// Why a project's tests cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// There is no `manage.py`, and nothing else that shows how it is tested.
    Manage,
    /// The configured one is not there.
    NamedManage(String),
    /// There are several to choose from.
    SeveralManage(Vec<String>),
    /// A suite's folder is not there, or holds nothing.
    Folder {
        /// The suite.
        suite: String,
        /// As configured.
        path: String,
    },
}

/// Whether a folder with these files can be a project; its texts are not known yet.
///
/// # Errors
/// When it cannot.
pub fn check(config: &Config, paths: &[&str]) -> Result<(), Missing> {
    let is_there = |path: &String| paths.contains(&path.as_str());
    let named = config.suite.iter().filter_map(|suite| suite.manage.as_ref());
    if let Some(path) = named.chain(&config.project.manage).find(|path| !is_there(path)) {
        return Err(Missing::NamedManage(path.clone()));
    }
    for suite in &config.suite {
        let path = suite.path.as_deref().unwrap_or_default().trim_end_matches('/');
        if !paths.iter().any(|file| is_below(file, path)) {
            return Err(Missing::Folder { suite: suite.name.clone(), path: path.to_owned() });
        }
    }
    let is_known = !config.suite.is_empty() || config.project.settings.is_some();
    let has_tests = || paths.iter().any(|path| TestFiles::Pytest.holds(path));
    match find_manage(paths.iter().copied()) {
        Manage::Nowhere if !is_known && !has_tests() => Err(Missing::Manage),
        _ => Ok(()),
    }
}

/// Whether the text of a file is wanted by [`compose`].
#[must_use]
pub fn speaks(path: &str) -> bool {
    path.ends_with("/apps.py") || detection::speaks(path)
}

/// The suites of a project with these files.
///
/// # Errors
/// When it is a Django project whose `manage.py` cannot be told.
pub fn compose(config: &Config, paths: &[&str], texts: &Texts) -> Result<Suites, Missing> {
    let detected = [config::Suite::default()];
    let configured = match config.suite.is_empty() {
        true => &detected[..],
        false => &config.suite[..],
    };
    let mut all = Suites::default();
    for suite in configured {
        let (suite, apps, note) = compose_one(config, suite, paths, texts)?;
        all.suites.push(suite);
        all.apps.extend(apps);
        all.notes.extend(note.filter(|note| !all.notes.contains(note)));
    }
    if let Some(note) = left_out(config, &all.suites, paths) {
        all.notes.push(note);
    }
    tell_apart(&mut all);
    Ok(all)
}

fn compose_one(
    config: &Config,
    wanted: &config::Suite,
    paths: &[&str],
    texts: &Texts,
) -> Result<(Suite, Vec<App>, Option<String>), Missing> {
    let path = wanted.path.as_deref().unwrap_or_default().trim_end_matches('/');
    let own: Vec<&str> = paths.iter().copied().filter(|file| is_below(file, path)).collect();
    let settings = wanted.settings.as_ref().or(config.project.settings.as_ref());
    let named = wanted.manage.as_ref().or(config.project.manage.as_ref()).cloned();
    let found = named.map_or_else(|| find_manage(own.iter().copied()), Manage::At);
    let is_django = found != Manage::Nowhere || settings.is_some();
    let Detected { kind, reason } = match wanted.stated_kind() {
        Some(kind) => Detected { kind, reason: None },
        None => detection::detect(Folder { path, is_django }, texts),
    };
    // A site without its manage.py is no set of plain tests.
    if wanted.stated_kind().is_none()
        && kind == SuiteKind::Unittest
        && detection::requires_django(texts)
    {
        return Err(Missing::Manage);
    }
    let manage = match (kind, found) {
        (SuiteKind::Django, Manage::At(manage)) => Some(manage),
        (SuiteKind::Django, Manage::Several(_) | Manage::Nowhere) if settings.is_some() => None,
        (SuiteKind::Django, Manage::Several(found)) => return Err(Missing::SeveralManage(found)),
        (SuiteKind::Django, Manage::Nowhere) => return Err(Missing::Manage),
        _ => None,
    };
    let configured = wanted.manage.is_some() || config.project.manage.is_some();
    let took = manage.as_ref().filter(|path| path.contains('/') && !configured);
    let note = match (reason, took) {
        (Some(reason), _) => Some(format!("tests are run with {}: {reason}", name_of(kind))),
        (None, Some(manage)) => Some(format!("took {manage}, the only manage.py")),
        (None, None) => None,
    };
    let start = match kind {
        SuiteKind::Django => folder_of(manage.as_deref()).to_owned(),
        _ => path.to_owned(),
    };
    let adapter = adapter(kind, wanted, manage, settings.cloned(), (path, &own), texts);
    let name = match wanted.name.as_str() {
        "" => name_of(kind),
        name => name,
    };
    // Names of the configuration were checked where it was read.
    let name = SuiteName::new(name).unwrap_or_default();
    let apps = apps_of(&name, kind, path, &without_inner(config, path, &own), &start, texts);
    let suite = Suite {
        path: path.to_owned(),
        environment: wanted.env.clone(),
        ..Suite::new(name, adapter)
    };
    Ok((suite, apps, note))
}

fn adapter(
    kind: SuiteKind,
    wanted: &config::Suite,
    manage: Option<String>,
    settings: Option<String>,
    (path, paths): (&str, &[&str]),
    texts: &Texts,
) -> Adapter {
    let arguments = wanted.arguments.clone();
    match kind {
        SuiteKind::Django => Adapter::Django { manage, settings },
        SuiteKind::Pytest => {
            let django = settings.is_some() || detection::uses_pytest_django(path, texts);
            Adapter::Pytest { settings, arguments, django }
        }
        SuiteKind::Unittest if wanted.arguments.is_empty() => {
            Adapter::Unittest { arguments: unittest_arguments(path, paths) }
        }
        SuiteKind::Unittest => Adapter::Unittest { arguments },
        SuiteKind::Command => Adapter::Command {
            command: wanted.command.clone().unwrap_or_default(),
            list: wanted.list.clone(),
            junit: wanted.junit.clone(),
        },
    }
}

/// Files of a suite's folder that are in no folder of another suite inside it.
fn without_inner<'a>(config: &Config, path: &str, own: &[&'a str]) -> Vec<&'a str> {
    let folders = config.suite.iter().filter_map(|suite| suite.path.as_deref());
    let folders = folders.map(|folder| folder.trim_end_matches('/'));
    let inner: Vec<&str> =
        folders.filter(|folder| *folder != path && is_below(folder, path)).collect();
    let is_outside = |file: &&&str| !inner.iter().any(|folder| is_below(file, folder));
    own.iter().filter(is_outside).copied().collect()
}

/// Discovery enters packages alone, so a folder of tests that is none has to be named.
fn unittest_arguments(path: &str, paths: &[&str]) -> Vec<String> {
    let inside = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}/{name}"),
    };
    let is_start = |folder: &&str| {
        let folder = inside(folder);
        !paths.contains(&format!("{folder}/__init__.py").as_str())
            && paths.iter().any(|file| is_below(file, &folder) && TestFiles::Django.holds(file))
    };
    match ["tests", "test"].iter().find(|folder| is_start(folder)) {
        Some(folder) => vec!["-s".to_owned(), (*folder).to_owned()],
        None => vec![],
    }
}

fn apps_of(
    suite: &SuiteName,
    kind: SuiteKind,
    path: &str,
    paths: &[&str],
    start: &str,
    texts: &Texts,
) -> Vec<App> {
    let of_suite = |app: App| App { suite: suite.clone(), ..app };
    let apps = match kind {
        SuiteKind::Command => vec![App {
            // A suite's name can be a label: the latter may be more.
            label: AppLabel::new(suite.as_str()).unwrap_or_else(|_| AppLabel::other()),
            module: suite.to_string(),
            path: path.to_owned(),
            test_files: vec![],
            suite: suite.clone(),
        }],
        SuiteKind::Django | SuiteKind::Unittest => {
            apps::discover(paths.iter().copied(), start, texts, TestFiles::Django)
        }
        SuiteKind::Pytest => apps::discover(paths.iter().copied(), start, texts, TestFiles::Pytest),
    };
    apps.into_iter().map(of_suite).collect()
}

/// What is said where suites are configured and none of them runs the project's Python tests.
fn left_out(config: &Config, suites: &[Suite], paths: &[&str]) -> Option<String> {
    let is_command = |suite: &Suite| matches!(suite.adapter, Adapter::Command { .. });
    let manage = match find_manage(paths.iter().copied()) {
        Manage::At(manage) => manage,
        Manage::Nowhere | Manage::Several(_) => return None,
    };
    (!config.suite.is_empty() && suites.iter().all(is_command)).then(|| {
        format!("the tests of {manage} do not run: no [[suite]] of the kind django names them")
    })
}

/// Gives apps of several suites labels that differ, and tests ids that differ.
fn tell_apart(all: &mut Suites) {
    let labels: Vec<(SuiteName, AppLabel)> =
        all.apps.iter().map(|app| (app.suite.clone(), app.label.clone())).collect();
    for app in &mut all.apps {
        let is_taken =
            |(suite, label): &(SuiteName, AppLabel)| *suite != app.suite && *label == app.label;
        if labels.iter().any(is_taken) {
            app.label = prefixed(&app.suite, &app.label);
        }
    }
    let several = all.suites.len() > 1;
    let clashing: Vec<bool> = all
        .suites
        .iter()
        .map(|suite| all.suites.iter().any(|other| may_clash(suite, other, &all.apps)))
        .collect();
    for (suite, clashes) in all.suites.iter_mut().zip(clashing) {
        if several {
            suite.other = match suite.adapter {
                // All its tests are in the one app it has.
                Adapter::Command { .. } => label_of(suite, &all.apps),
                _ => prefixed(&suite.name, &AppLabel::other()),
            };
        }
        if clashes {
            suite.prefix = format!("{}:", suite.name);
        }
    }
    // What belongs to no app is the same app whether files or an inventory tell of it.
    for app in all.apps.iter_mut().filter(|app| several && app.module.is_empty()) {
        if app.path.is_empty() {
            app.label = prefixed(&app.suite, &AppLabel::other());
        }
    }
}

fn label_of(suite: &Suite, apps: &[App]) -> AppLabel {
    let app = apps.iter().find(|app| app.suite == suite.name);
    app.map_or_else(AppLabel::other, |app| app.label.clone())
}

fn prefixed(suite: &SuiteName, label: &AppLabel) -> AppLabel {
    // Only a label as long as any may be has no room; the inventory then tells of its tests.
    AppLabel::new(format!("{suite}:{label}")).unwrap_or_else(|_| label.clone())
}

/// Whether tests of two suites may have the same ids: those of the same modules, or files.
fn may_clash(one: &Suite, other: &Suite, apps: &[App]) -> bool {
    let is_by_path = |suite: &Suite| matches!(suite.adapter, Adapter::Pytest { .. });
    let is_command = |suite: &Suite| matches!(suite.adapter, Adapter::Command { .. });
    if one.name == other.name || is_by_path(one) != is_by_path(other) {
        return false;
    }
    if is_command(one) || is_command(other) {
        return false;
    }
    let of = |suite: &Suite| {
        let name = suite.name.clone();
        apps.iter().filter(move |app| app.suite == name)
    };
    of(one).any(|app| {
        of(other).any(|another| match is_by_path(one) {
            true => app.test_files.iter().any(|file| another.test_files.contains(file)),
            false => app.module == another.module,
        })
    })
}

fn is_below(file: &str, folder: &str) -> bool {
    folder.is_empty() || file.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The modules without which a Python cannot run the tests of these suites, as the end of `import`.
#[must_use]
pub fn imports(suites: &[Suite]) -> String {
    let modules = suites.iter().filter_map(|suite| match suite.adapter {
        Adapter::Django { .. } => Some("django"),
        Adapter::Pytest { .. } => Some("pytest"),
        Adapter::Unittest { .. } | Adapter::Command { .. } => None,
    });
    let modules: BTreeSet<&str> = modules.collect();
    match modules.is_empty() {
        // Something that every Python has: that it starts is all there is to see.
        true => "sys".to_owned(),
        false => modules.into_iter().collect::<Vec<_>>().join(", "),
    }
}

fn name_of(kind: SuiteKind) -> &'static str {
    match kind {
        SuiteKind::Django => "django",
        SuiteKind::Pytest => "pytest",
        SuiteKind::Unittest => "unittest",
        SuiteKind::Command => "command",
    }
}

#[cfg(test)]
#[path = "suites_tests.rs"]
mod tests;
