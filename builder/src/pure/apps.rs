//! Which apps a project has and which test modules belong to each, from its files alone.
//!
//! `INSTALLED_APPS` is the result of running Python, so it is not read. An app is a package with
//! what every app may have and nothing else has (`apps.py`, `migrations`); outside of those, a
//! package with `models` or `admin.py`; and outside of all of them, a package that has tests of
//! its own. What this misses costs no test: the inventory of the project's own runner is what a
//! run accounts for.

use std::collections::{BTreeMap, BTreeSet};

use muletrain_proto::id::{AppLabel, SuiteName};
use muletrain_proto::snapshot::App;

use super::app_config::{self, AppConfig};

/// Files that only a Django app has.
const MARKS: [&str; 2] = ["apps.py", "migrations/__init__.py"];

/// Files that an app has, but also parts of apps.
const HINTS: [&str; 3] = ["models.py", "models/__init__.py", "admin.py"];

/// Folders that hold other people's code or none.
const FOREIGN: [&str; 3] = ["node_modules", "site-packages", "__pycache__"];

/// Names of the folders in which an app keeps its tests.
const TEST_FOLDERS: [&str; 2] = ["tests", "test"];

/// Which files hold tests, and which folders can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestFiles {
    /// As Django and unittest see it: `test*.py` in packages.
    Django,
    /// As pytest sees it: `test_*.py`, `*_test.py` and what projects add to that, in any folder.
    Pytest,
}

impl TestFiles {
    /// Whether a file holds tests.
    #[must_use]
    pub fn holds(self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let ends = |ending: &str| name.ends_with(ending);
        (name.starts_with("test") && ends(".py"))
            || (self == Self::Pytest && (ends("_test.py") || ends("_tests.py")))
    }
}

/// Finds the apps of a project.
///
/// `paths` are all its files, `/`-separated and relative to its root; `manage` is the folder of
/// its `manage.py`, from which dotted names count; `configs` the texts of its `apps.py` by path.
#[must_use]
pub fn discover<'a>(
    paths: impl IntoIterator<Item = &'a str>,
    manage: &str,
    configs: &BTreeMap<String, String>,
    test_files: TestFiles,
) -> Vec<App> {
    let files = own_files(paths);
    let project = Project { manage, folders: test_modules_by_folder(&files, test_files), files };
    let mut folders = project.app_folders();
    if test_files == TestFiles::Pytest {
        folders.extend(project.loose_folders(&folders));
    }
    let mut candidates: Vec<Candidate> =
        folders.iter().map(|folder| project.candidate(folder, configs)).collect();
    let mut other = Vec::new();
    for (folder, modules) in &project.folders {
        match owner(folder, &folders) {
            Some(index) => candidates[index].test_files.extend(modules.iter().cloned()),
            None => other.extend(modules.iter().cloned()),
        }
    }
    let mut apps = with_unique_labels(candidates);
    if !other.is_empty() {
        other.sort();
        let label = AppLabel::other();
        let (module, path, suite) = (String::new(), String::new(), SuiteName::default());
        apps.push(App { label, module, path, test_files: other, suite });
    }
    apps
}

/// Files that are the project's own: no hidden folder, no virtual environment, no packages.
fn own_files<'a>(paths: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let all: BTreeSet<&str> = paths.into_iter().collect();
    let environments: Vec<String> = all
        .iter()
        .filter_map(|path| path.strip_suffix("pyvenv.cfg"))
        .map(str::to_owned)
        .filter(|folder| !folder.is_empty())
        .collect();
    let foreign = |path: &str| {
        let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
        folders.split('/').any(|part| part.starts_with('.') || FOREIGN.contains(&part))
            || environments.iter().any(|folder| path.starts_with(folder.as_str()))
    };
    all.into_iter().filter(|path| !foreign(path)).collect()
}

fn test_modules_by_folder(
    files: &BTreeSet<&str>,
    test_files: TestFiles,
) -> BTreeMap<String, Vec<String>> {
    let mut folders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if test_files.holds(path) {
            folders.entry(folder.to_owned()).or_default().push((*path).to_owned());
        }
    }
    folders
}

/// Index of the longest of these folders that is the folder or holds it.
fn owner(folder: &str, folders: &[String]) -> Option<usize> {
    let holds = |of: &str| is_inside(folder, of);
    let matching = folders.iter().enumerate().filter(|(_, of)| holds(of));
    matching.max_by_key(|(_, of)| of.len()).map(|(index, _)| index)
}

fn is_inside(folder: &str, of: &str) -> bool {
    folder == of || folder.strip_prefix(of).is_some_and(|rest| rest.starts_with('/'))
}

struct Project<'a> {
    manage: &'a str,
    files: BTreeSet<&'a str>,
    folders: BTreeMap<String, Vec<String>>,
}

struct Candidate {
    label: String,
    module: String,
    path: String,
    test_files: Vec<String>,
}

impl Project<'_> {
    fn app_folders(&self) -> Vec<String> {
        let packages = self.files.iter().filter_map(|path| path.strip_suffix("/__init__.py"));
        let packages: Vec<String> = packages.map(str::to_owned).collect();
        let mut apps: Vec<String> = Vec::new();
        let mut add = |is_one: &dyn Fn(&str, &[String]) -> bool| {
            let more = packages.iter().filter(|folder| is_one(folder, &apps));
            let more: Vec<String> = more.cloned().collect();
            apps.extend(more);
            apps.sort();
            apps.dedup();
        };
        add(&|folder, _| self.has_any(folder, &MARKS));
        add(&|folder, apps| self.has_any(folder, &HINTS) && owner(folder, apps).is_none());
        add(&|folder, apps| self.is_suite(folder, apps));
        apps
    }

    /// The outermost folders with test modules that are in no app.
    fn loose_folders(&self, apps: &[String]) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for folder in self.folders.keys().filter(|folder| !folder.is_empty()) {
            // In their order a folder comes before those inside it.
            if owner(folder, apps).is_none() && owner(folder, &found).is_none() {
                found.push(folder.clone());
            }
        }
        found
    }

    fn has_any(&self, folder: &str, names: &[&str]) -> bool {
        names.iter().any(|name| self.files.contains(format!("{folder}/{name}").as_str()))
    }

    /// Whether a package without marks is a suite of its own: it has tests, and it is neither
    /// inside an app nor a folder in which another package keeps its tests.
    fn is_suite(&self, folder: &str, apps: &[String]) -> bool {
        let has_tests = |folder: &str| self.folders.contains_key(folder);
        let in_test_folder = || self.folders.keys().any(|tests| self.keeps_tests_in(folder, tests));
        (has_tests(folder) || in_test_folder())
            && owner(folder, apps).is_none()
            && !self.is_part_of_tests(folder)
    }

    fn keeps_tests_in(&self, folder: &str, tests: &str) -> bool {
        TEST_FOLDERS.iter().any(|name| is_inside(tests, &format!("{folder}/{name}")))
    }

    /// Whether the folder is, or lies in, the tests folder of a package or of the project.
    fn is_part_of_tests(&self, folder: &str) -> bool {
        let parts: Vec<&str> = folder.split('/').collect();
        let Some(at) = parts.iter().position(|part| TEST_FOLDERS.contains(part)) else {
            return false;
        };
        let parent = parts[..at].join("/");
        let of_package = self.files.contains(format!("{parent}/__init__.py").as_str());
        // A tests folder of nobody is a suite itself, and what lies in it belongs to it.
        of_package || at + 1 < parts.len()
    }

    fn candidate(&self, folder: &str, configs: &BTreeMap<String, String>) -> Candidate {
        let config = configs.get(&format!("{folder}/apps.py"));
        let AppConfig { name, label, .. } =
            config.map(|text| app_config::read(text)).unwrap_or_default();
        let path_name = self.relative_to_python_path(folder).replace('/', ".");
        // A name for another folder than this one would load something else.
        let named = name.filter(|name| {
            let folder = folder.replace('/', ".");
            folder == *name || folder.ends_with(&format!(".{name}"))
        });
        let module = named.unwrap_or(path_name);
        let last = module.rsplit('.').next().unwrap_or(&module).to_owned();
        let label = label.unwrap_or(last);
        Candidate { label, module, path: folder.to_owned(), test_files: Vec::new() }
    }

    /// The folder as Python's path sees it: from `manage.py` on, or else from the outermost
    /// package it lies in.
    fn relative_to_python_path<'a>(&self, folder: &'a str) -> &'a str {
        if self.manage.is_empty() {
            return folder;
        }
        if let Some(rest) = folder.strip_prefix(self.manage)
            && let Some(rest) = rest.strip_prefix('/')
        {
            return rest;
        }
        let mut start = folder.rfind('/').map_or(0, |slash| slash + 1);
        while start > 0 {
            let parent = &folder[..start - 1];
            if !self.files.contains(format!("{parent}/__init__.py").as_str()) {
                break;
            }
            start = parent.rfind('/').map_or(0, |slash| slash + 1);
        }
        &folder[start..]
    }
}

/// Labels that several have become dotted names; where even those are equal, paths.
fn with_unique_labels(candidates: Vec<Candidate>) -> Vec<App> {
    let mut labels: Vec<String> = candidates.iter().map(|it| it.label.clone()).collect();
    for better in [|it: &Candidate| it.module.clone(), |it: &Candidate| it.path.clone()] {
        let taken = labels.clone();
        for (label, candidate) in labels.iter_mut().zip(&candidates) {
            if taken.iter().filter(|other| *other == label).count() > 1 {
                *label = better(candidate);
            }
        }
    }
    let named = candidates.into_iter().zip(labels).filter_map(|(candidate, label)| {
        let Candidate { module, path, mut test_files, .. } = candidate;
        test_files.sort();
        // A path longer than any label may be is left to the inventory.
        let (label, suite) = (AppLabel::new(label).ok()?, SuiteName::default());
        Some(App { label, module, path, test_files, suite })
    });
    named.collect()
}

#[cfg(test)]
#[path = "apps_tests.rs"]
mod tests;
