//! How a project's tests are run, as its files show it: what its developers would type.

use std::collections::BTreeMap;

use muletrain_proto::config::SuiteKind;

/// Texts of those of a project's files that say how it is tested, by path.
pub type Texts = BTreeMap<String, String>;

/// What runs the tests of a folder, and how that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// What runs them.
    pub kind: SuiteKind,
    /// In words, where it is not what every Django project does.
    pub reason: Option<String>,
}

/// What is known of a folder beside its texts.
#[derive(Debug, Clone, Copy)]
pub struct Folder<'a> {
    /// Relative to the root, `/`-separated; empty for the root.
    pub path: &'a str,
    /// There is a `manage.py`, or settings are configured.
    pub is_django: bool,
}

/// Files in which pytest is configured, and what marks that.
const CONFIGURATIONS: [(&str, &str); 6] = [
    ("pytest.ini", ""),
    (".pytest.ini", ""),
    ("pytest.toml", ""),
    ("pyproject.toml", "[tool.pytest"),
    ("tox.ini", "[pytest]"),
    ("setup.cfg", "[tool:pytest]"),
];

/// Files that may name what a project requires.
const REQUIRING: [&str; 4] = ["pyproject.toml", "setup.py", "setup.cfg", "Pipfile"];

/// Whether the text of a file says how a project is tested.
#[must_use]
pub fn speaks(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    CONFIGURATIONS.iter().any(|(file, _)| *file == name)
        || REQUIRING.contains(&name)
        || is_requirements(path)
        || is_settings(path)
}

fn is_requirements(path: &str) -> bool {
    (path.ends_with(".txt") || path.ends_with(".in")) && path.contains("requirement")
}

fn is_settings(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let in_package = path.rsplit('/').nth(1) == Some("settings");
    name.ends_with(".py") && (name.starts_with("settings") || in_package)
}

/// Finds out what runs the tests of a folder.
#[must_use]
pub fn detect(folder: Folder<'_>, texts: &Texts) -> Detected {
    let pytest = |reason: String| Detected { kind: SuiteKind::Pytest, reason: Some(reason) };
    let configuration = pytest_configuration(folder.path, texts);
    if folder.is_django {
        if let Some((path, text)) = configuration {
            if text.contains("DJANGO_SETTINGS_MODULE") {
                return pytest(format!("{path} names DJANGO_SETTINGS_MODULE"));
            }
            if let Some(file) = requiring("pytest-django", texts) {
                return pytest(format!("{path} configures pytest, and {file} has pytest-django"));
            }
        }
        return match pytest_runner(texts) {
            Some(file) => pytest(format!("TEST_RUNNER in {file} is that of pytest")),
            None => Detected { kind: SuiteKind::Django, reason: None },
        };
    }
    match (configuration, requiring("pytest", texts)) {
        (Some((path, _)), _) => pytest(format!("{path} configures pytest")),
        (None, Some(file)) => pytest(format!("{file} has pytest")),
        (None, None) => Detected {
            kind: SuiteKind::Unittest,
            reason: Some("there is neither a manage.py nor a sign of pytest".to_owned()),
        },
    }
}

/// Whether the tests of a folder are set up by pytest-django.
#[must_use]
pub fn uses_pytest_django(folder: &str, texts: &Texts) -> bool {
    let configuration = pytest_configuration(folder, texts);
    configuration.is_some_and(|(_, text)| text.contains("DJANGO_SETTINGS_MODULE"))
        || requiring("pytest-django", texts).is_some()
}

/// Whether the project requires Django.
#[must_use]
pub fn requires_django(texts: &Texts) -> bool {
    requiring("django", texts).is_some()
}

/// Where pytest is configured for a folder: in it, or in the root.
#[must_use]
pub fn pytest_configuration<'a>(folder: &str, texts: &'a Texts) -> Option<(&'a str, &'a str)> {
    let inside = |name: &str| match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    };
    let paths = CONFIGURATIONS.iter().map(|(name, mark)| (inside(name), *mark));
    let paths = paths.chain(CONFIGURATIONS.iter().map(|(name, mark)| ((*name).to_owned(), *mark)));
    paths.into_iter().find_map(|(path, mark)| {
        let (path, text) = texts.get_key_value(&path)?;
        let marked = mark.is_empty() || text.lines().any(|line| line.trim().starts_with(mark));
        marked.then_some((path.as_str(), text.as_str()))
    })
}

/// The file in which the project requires a package.
fn requiring<'a>(package: &str, texts: &'a Texts) -> Option<&'a str> {
    let names = |text: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let words = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        let mut words = words.flat_map(|line| line.split(move |c| !is_part(c)));
        words.any(|word| word.to_ascii_lowercase().replace('_', "-") == package)
    };
    let is_one = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        REQUIRING.contains(&name) || is_requirements(path)
    };
    let mut files = texts.iter().filter(|(path, _)| is_one(path));
    files.find(|(_, text)| names(text)).map(|(path, _)| path.as_str())
}

/// The settings whose `TEST_RUNNER` hands Django's `test` command over to pytest.
fn pytest_runner(texts: &Texts) -> Option<&str> {
    let names = |text: &str| {
        let mut lines = text.lines().map(str::trim);
        lines.any(|line| line.starts_with("TEST_RUNNER") && line.contains("pytest"))
    };
    let mut files = texts.iter().filter(|(path, _)| is_settings(path));
    files.find(|(_, text)| names(text)).map(|(path, _)| path.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(is_django: bool, files: &[(&str, &str)]) -> String {
        let texts = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let texts: Texts = texts.filter(|(path, _)| speaks(path)).collect();
        let Detected { kind, reason } = detect(Folder { path: "", is_django }, &texts);
        format!("{kind:?}: {}", reason.unwrap_or_default())
    }

    #[test]
    fn a_django_project_is_one_for_its_own_runner_unless_pytest_is_set_up_for_it() {
        let plain = [("requirements.txt", "Django==5.2\npytest-django\n")];
        assert_eq!(detected(true, &plain), "Django: ");
        let tools = [("pyproject.toml", "[tool.pytest.ini_options]\naddopts = '-q'\n")];
        assert_eq!(detected(true, &tools), "Django: ", "it may be for something beside the site");
        let ini = [("pytest.ini", "[pytest]\nDJANGO_SETTINGS_MODULE = config.settings\n")];
        assert_eq!(detected(true, &ini), "Pytest: pytest.ini names DJANGO_SETTINGS_MODULE");
        let both = [tools[0], ("requirements/test.txt", "# tests\npytest_django>=4\n")];
        assert_eq!(
            detected(true, &both),
            "Pytest: pyproject.toml configures pytest, and requirements/test.txt has pytest-django"
        );
        let runner =
            [("config/settings/base.py", "TEST_RUNNER = 'pytest_django.runner.TestRunner'")];
        assert_eq!(
            detected(true, &runner),
            "Pytest: TEST_RUNNER in config/settings/base.py is that of pytest"
        );
    }

    #[test]
    fn another_project_is_one_for_unittest_unless_it_has_pytest() {
        assert!(detected(false, &[]).starts_with("Unittest: "));
        let commented = [("requirements.txt", "# pytest would be nice\nrequests\n")];
        assert!(detected(false, &commented).starts_with("Unittest: "));
        let other = [("setup.cfg", "[tool:isort]\n"), ("tox.ini", "[tox]\n")];
        assert!(detected(false, &other).starts_with("Unittest: "));
        let tox = [("tox.ini", "[tox]\n\n[pytest]\n")];
        assert_eq!(detected(false, &tox), "Pytest: tox.ini configures pytest");
        let extra = [("setup.py", "extras_require={'test': ['pytest>=8']}")];
        assert_eq!(detected(false, &extra), "Pytest: setup.py has pytest");
    }

    #[test]
    fn the_configuration_of_a_folder_goes_before_that_of_the_root() {
        let texts = ["api/pytest.ini", "pytest.ini"].map(|path| (path.to_owned(), String::new()));
        let texts = Texts::from(texts);
        assert_eq!(pytest_configuration("api", &texts).unwrap().0, "api/pytest.ini");
        assert_eq!(pytest_configuration("web", &texts).unwrap().0, "pytest.ini");
    }
}
