//! What a user's LABEL means, by what the snapshot's files show.
//!
//! A label is the name of a suite, an app label, an app's dotted package, a module, a class or a
//! method in one, a package that holds apps or test modules, `app.Class[.method]`, or a path of any
//! of these. The id of a test, as reports print it, is one too, and so is a glob over such names.

use std::collections::BTreeSet;

use muletrain_proto::id::{AppLabel, SuiteName, TestId};
use muletrain_proto::inventory::Class;
use muletrain_proto::run::Options;
use muletrain_proto::snapshot::{App, Snapshot};
use muletrain_proto::suite::{Adapter, Suite};

use super::near;
use super::pattern::Pattern;

/// What a label means in one suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The suite.
    pub suite: SuiteName,
    /// What its runner is asked for; empty for everything.
    pub dotted: String,
    /// The app it names as a whole.
    pub app: Option<AppLabel>,
    /// For `app.Class[.method]`: only these of the app.
    pub member: Option<Member>,
    /// For a glob that names neither apps nor modules: only classes and tests that match it.
    pub glob: Option<Pattern>,
    /// The label itself.
    pub label: String,
}

/// A class of an app, wherever in the app it is, or a method of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The app.
    pub app: AppLabel,
    /// The class's own name.
    pub class: String,
    /// The method.
    pub method: Option<String>,
}

/// A label that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no app, package or test module is called {label:?}{}", hint(near))]
pub struct Unknown {
    /// As given.
    pub label: String,
    /// Labels that are like it.
    pub near: Vec<String>,
}

fn hint(near: &[String]) -> String {
    match near {
        [] => "; `muletrain-builder suites` lists what there is".to_owned(),
        near => format!("; did you mean {}?", near.join(" or ")),
    }
}

/// Finds out what is asked for by label; nothing where that is everything.
///
/// # Errors
/// At the first label that names nothing.
pub fn resolve(options: &Options, snapshot: &Snapshot) -> Result<Vec<Target>, Unknown> {
    let has_own = |suite: &&Suite| options.suite_labels.contains_key(&suite.name);
    let (own, others): (Vec<&Suite>, Vec<&Suite>) = snapshot.suites.iter().partition(has_own);
    if own.is_empty() && options.labels.is_empty() {
        return Ok(Vec::new());
    }
    let mut targets = resolve_in_all(&options.labels, &others, &snapshot.apps)?;
    for suite in own {
        let labels = options.labels_of(&suite.name);
        targets.extend(resolve_in_all(labels, &[suite], &snapshot.apps)?);
    }
    Ok(targets)
}

/// Whether a label names something in some suite.
#[must_use]
pub fn is_known(label: &str, snapshot: &Snapshot) -> bool {
    let suites: Vec<&Suite> = snapshot.suites.iter().collect();
    resolve_among(label, &suites, &snapshot.apps).is_ok()
}

/// What labels mean in some suites: all of them where there is no label.
fn resolve_in_all(
    labels: &[String],
    suites: &[&Suite],
    apps: &[App],
) -> Result<Vec<Target>, Unknown> {
    match (labels.is_empty(), suites.is_empty()) {
        (_, true) => Ok(Vec::new()),
        (true, false) => Ok(suites.iter().map(|suite| whole(suite)).collect()),
        (false, false) => {
            let targets: Result<Vec<Vec<Target>>, Unknown> =
                labels.iter().map(|label| resolve_among(label, suites, apps)).collect();
            Ok(targets?.into_iter().flatten().collect())
        }
    }
}

/// All of a suite.
fn whole(suite: &Suite) -> Target {
    Target {
        suite: suite.name.clone(),
        dotted: String::new(),
        app: None,
        member: None,
        glob: None,
        label: suite.name.to_string(),
    }
}

/// Says of labels that name nothing, by the apps alone and before there is a snapshot. Where they
/// are not all of one suite that Django runs, only the snapshot can tell.
///
/// # Errors
/// At the first label that names nothing.
pub fn check(labels: &[String], apps: &[App]) -> Result<(), Unknown> {
    let name = SuiteName::default();
    if apps.is_empty() || apps.iter().any(|app| app.suite != name) {
        return Ok(());
    }
    let suite = Suite::new(name, Adapter::Django { manage: None, settings: None });
    labels.iter().try_for_each(|label| resolve_among(label, &[&suite], apps).map(drop))
}

/// In every suite that knows it.
fn resolve_among(label: &str, suites: &[&Suite], apps: &[App]) -> Result<Vec<Target>, Unknown> {
    let apps_of = |suite: &Suite| {
        let apps = apps.iter().filter(|app| app.suite == suite.name);
        apps.collect::<Vec<&App>>()
    };
    let targets: Vec<Target> = match Pattern::new(label) {
        // Names of modules hold neither, and parameters of tests are no globs.
        Ok(glob) if label.contains(['*', '?']) && !label.contains("::") => {
            globs(label, &glob, suites.iter().copied(), apps_of)
        }
        _ => suites.iter().filter_map(|suite| resolve_in(suite, label, &apps_of(suite))).collect(),
    };
    match targets.is_empty() {
        true => {
            Err(Unknown { label: label.to_owned(), near: near(&to_dotted(label), suites, apps) })
        }
        false => Ok(targets),
    }
}

fn resolve_in(suite: &Suite, label: &str, apps: &[&App]) -> Option<Target> {
    let target = |asked: &str, app: Option<&App>| Target {
        suite: suite.name.clone(),
        dotted: asked.to_owned(),
        app: app.map(|app| app.label.clone()),
        member: None,
        glob: None,
        label: label.to_owned(),
    };
    let whole_app = |app: &&App| target(&suite.adapter.label_of(&app.module, &app.path), Some(app));
    if let Some(app) = apps.iter().find(|app| app.label.as_str() == label) {
        return Some(whole_app(app));
    }
    if suite.name.as_str() == label {
        return Some(whole(suite));
    }
    let own = label.strip_prefix(suite.prefix.as_str()).unwrap_or(label);
    if let Adapter::Command { .. } = suite.adapter {
        let is_job = own.strip_prefix(suite.name.as_str()).is_some_and(|job| job.starts_with("::"));
        return is_job.then(|| target(own, None));
    }
    let dotted = to_dotted(own);
    let names = |app: &&&App| {
        [app.label.as_str(), app.module.as_str()].contains(&dotted.as_str()) && !dotted.is_empty()
    };
    if let Some(app) = apps.iter().find(names) {
        return Some(whole_app(app));
    }
    if is_on_the_way(&dotted, apps) {
        return Some(match suite.adapter {
            Adapter::Pytest { .. } => target(own.trim_start_matches("./"), None),
            _ => target(&dotted, None),
        });
    }
    let (app, member) = member(&dotted, apps)?;
    Some(Target { app: None, member: Some(member), ..whole_app(&app) })
}

/// The apps and modules that a glob means; where it means none, it is about classes and tests.
fn globs<'a>(
    label: &str,
    glob: &Pattern,
    suites: impl Iterator<Item = &'a Suite> + Clone,
    apps_of: impl Fn(&Suite) -> Vec<&'a App>,
) -> Vec<Target> {
    let named = suites.clone().flat_map(|suite| {
        let apps = apps_of(suite);
        let names: BTreeSet<String> =
            apps.iter().flat_map(|app| names(app)).filter(|name| glob.matches(name)).collect();
        let is_whole = |name: &&String| {
            let mut others = names.iter().filter(|other| other != name);
            !others.any(|other| is_inside(name, other))
        };
        let whole = names.iter().filter(is_whole);
        whole.filter_map(|name| resolve_in(suite, name, &apps)).collect::<Vec<Target>>()
    });
    let mut named: Vec<Target> = named.collect();
    // An app may go by its label and by its package.
    let mut seen = BTreeSet::new();
    named.retain(|target| seen.insert((target.suite.clone(), target.dotted.clone())));
    if !named.is_empty() {
        return named;
    }
    let matching =
        |suite| Target { glob: Some(glob.clone()), label: label.to_owned(), ..whole(suite) };
    suites.map(matching).collect()
}

/// Everything of an app that a label can name by what its files show.
fn names(app: &App) -> Vec<String> {
    let mut names = vec![app.label.to_string(), app.module.clone()];
    for file in &app.test_files {
        let module = to_dotted(file);
        let ends = module.match_indices('.').map(|(end, _)| end).chain([module.len()]);
        names.extend(ends.map(|end| module[..end].to_owned()));
    }
    names
}

/// A path, or what pytest calls a node id, as a dotted name; anything else stays as it is.
#[must_use]
pub fn to_dotted(label: &str) -> String {
    let (path, inside) = match label.split_once("::") {
        Some((path, inside)) => (path, Some(inside)),
        None => (label, None),
    };
    let path = path.trim_start_matches("./").trim_end_matches('/');
    let module = match path.contains('/') || path.ends_with(".py") {
        true => path.trim_end_matches(".py").replace('/', "."),
        false => path.to_owned(),
    };
    match inside {
        Some(inside) => format!("{module}.{}", inside.replace("::", ".")),
        None => module,
    }
}

/// Whether a dotted name lies on the way to a test module, is one, or is something inside one.
fn is_on_the_way(dotted: &str, apps: &[&App]) -> bool {
    apps.iter().any(|app| {
        let modules = app.test_files.iter().map(|file| to_dotted(file));
        modules.chain([app.module.clone()]).any(|module| {
            !module.is_empty() && (is_inside(dotted, &module) || is_inside(&module, dotted))
        }) && !names_class_of_package(dotted, app)
    })
}

/// `app.Class` looks like something inside the app's package, but a package holds no tests.
fn names_class_of_package(dotted: &str, app: &App) -> bool {
    is_inside(dotted, &app.module)
        && dotted[app.module.len()..].trim_start_matches('.').starts_with(char::is_uppercase)
}

pub(super) fn is_inside(inner: &str, outer: &str) -> bool {
    inner == outer || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
}

fn member<'a>(dotted: &str, apps: &[&'a App]) -> Option<(&'a App, Member)> {
    apps.iter().find_map(|app| {
        let names = [app.label.as_str(), app.module.as_str()];
        let rest = names.iter().find_map(|name| dotted.strip_prefix(name)?.strip_prefix('.'))?;
        let (class, method) = match rest.split_once('.') {
            Some((class, method)) => (class, Some(method)),
            None => (rest, None),
        };
        let simple = |name: &str| !name.is_empty() && !name.contains('.');
        let is_one =
            simple(class) && class.starts_with(char::is_uppercase) && method.is_none_or(simple);
        let member = Member {
            app: app.label.clone(),
            class: class.to_owned(),
            method: method.map(str::to_owned),
        };
        is_one.then_some((*app, member))
    })
}

fn near(label: &str, suites: &[&Suite], apps: &[App]) -> Vec<String> {
    let is_among = |app: &&App| suites.iter().any(|suite| suite.name == app.suite);
    let apps = apps.iter().filter(is_among);
    let apps = apps.flat_map(|app| [app.label.as_str(), app.module.as_str()]);
    near::like(label, apps.chain(suites.iter().map(|suite| suite.name.as_str())))
}

/// Apps with tests that are named as a whole; all of them where nothing is named.
#[must_use]
pub fn named_apps<'a>(targets: &[Target], apps: &'a [App]) -> Vec<&'a App> {
    let named = |app: &App| targets.iter().any(|target| target.is_whole(app));
    let wanted = |app: &&App| !app.test_files.is_empty() && (targets.is_empty() || named(app));
    apps.iter().filter(wanted).collect()
}

impl Target {
    /// Whether it names all of an app, or all of its suite.
    fn is_whole(&self, app: &App) -> bool {
        let is_suite = self.is_everything() && self.suite == app.suite;
        is_suite || self.app.as_ref() == Some(&app.label)
    }

    /// Whether it is one that brought a test in.
    #[must_use]
    pub fn wants(&self, class: &Class, test: &TestId) -> bool {
        match (&self.member, &self.glob) {
            (Some(member), _) => member.holds(class, test),
            (None, Some(glob)) => {
                let ids = [class.id.as_str(), test.as_str()];
                ids.iter().any(|id| glob.matches(id) || glob.matches(&to_dotted(id)))
            }
            (None, None) => reaches(self, class, test),
        }
    }

    /// Whether it names all of its suite.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.dotted.is_empty() && self.app.is_none() && self.member.is_none() && self.glob.is_none()
    }
}

/// Whether a test that was collected for targets of its suite is wanted by one of them.
#[must_use]
pub fn wants(targets: &[&Target], class: &Class, test: &TestId) -> bool {
    // Plain labels mean what the project's own runner makes of them, and it has already picked.
    let is_plain = |target: &&Target| target.member.is_none() && !target.dotted.is_empty();
    targets.iter().all(is_plain) || targets.iter().any(|target| target.wants(class, test))
}

impl Member {
    fn holds(&self, class: &Class, test: &TestId) -> bool {
        class.app == self.app
            && last_name(class.id.as_str()) == self.class
            && self.method.as_ref().is_none_or(|method| last_name(test.as_str()) == *method)
    }
}

/// The last part of an id, without the parameters of a test.
fn last_name(id: &str) -> String {
    let dotted = to_dotted(id);
    let name = dotted.split('[').next().unwrap_or_default();
    name.rsplit('.').next().unwrap_or_default().to_owned()
}

/// Whether a target without a member is one that brought a test in.
fn reaches(target: &Target, class: &Class, test: &TestId) -> bool {
    if target.is_everything() {
        return true;
    }
    if target.dotted.is_empty() {
        // Tests outside all apps have no package to ask for: everything was collected.
        return target.app.as_ref() == Some(&class.app);
    }
    let dotted = to_dotted(&target.dotted);
    let module = to_dotted(&class.module);
    let is_imported = !is_inside(&to_dotted(class.id.as_str()), &module);
    is_inside(&module, &dotted)
        || is_inside(&to_dotted(test.as_str()), &dotted)
        || (is_imported && is_inside(&dotted, &module))
}

#[cfg(test)]
#[path = "label_tests.rs"]
mod tests;
