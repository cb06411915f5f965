//! How a project's dependencies are installed, from its configuration or from its files.
//!
//! The files that installing reads, and that alone decide whether it must be done again: every
//! requirements, constraints, lock and packaging file, and every file or folder a command names.
//! A command that names the project itself (`.`) reads all of it.

use std::collections::BTreeMap;
use std::path::Path;

use super::python_version;

/// How dependencies are installed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipe {
    /// Shell commands.
    pub commands: Vec<String>,
    /// What they were worked out from, in words; none where they are configured.
    pub reason: Option<String>,
}

/// Texts of those of a project's files that say something of its dependencies, by path.
pub type Texts = BTreeMap<String, String>;

/// Files whose text [`recipe`] and [`python`] want to see.
pub const SPEAKING: [&str; 4] =
    ["pyproject.toml", ".python-version", "runtime.txt", "Pipfile.lock"];

/// Names by which projects call what their tests need, the best first.
const TEST_SETS: [&str; 8] =
    ["test", "tests", "testing", "ci", "dev", "develop", "development", "local"];

/// Names of the set that the others build on.
const BASE_SETS: [&str; 3] = ["base", "common", "requirements"];

/// Lock files, the best first: what reads one, and how it installs into the Python that is found.
const TOOLS: [(&str, &str, &str); 3] = [
    (
        "uv.lock",
        "uv",
        "$tool/bin/uv export --quiet --frozen --no-emit-project --all-groups --all-extras \
         --no-hashes --output-file $tool/requirements.txt && \
         pip install -r $tool/requirements.txt",
    ),
    (
        "poetry.lock",
        "poetry",
        "POETRY_VIRTUALENVS_CREATE=false $tool/bin/poetry install --no-root --no-interaction",
    ),
    ("Pipfile.lock", "pipenv", "$tool/bin/pipenv sync --dev --system"),
];

/// Works out how the dependencies of a project with these files are installed.
#[must_use]
pub fn recipe<'a>(paths: impl IntoIterator<Item = &'a str>, texts: &Texts) -> Recipe {
    let paths: Vec<&str> = paths.into_iter().collect();
    for (lock, tool, work) in TOOLS {
        if paths.contains(&lock) {
            return Recipe { commands: vec![by(tool, work)], reason: Some(lock.to_owned()) };
        }
    }
    from_requirements(&paths)
        .or_else(|| from_pyproject(texts.get("pyproject.toml")?))
        .unwrap_or_default()
}

/// Work of a tool that is in an environment of its own, which goes with it: what it depends on is
/// nothing that the project asked for, or asked for in another version.
fn by(tool: &str, work: &str) -> String {
    format!(
        "tool=$(mktemp -d) && python3 -m venv $tool && $tool/bin/pip install {tool} && {work} && \
         rm -r $tool"
    )
}

/// Requirements files: the base set and the best one for tests.
fn from_requirements(paths: &[&str]) -> Option<Recipe> {
    let set = |name: &str| {
        let spellings = [
            format!("requirements/{name}.txt"),
            format!("requirements/requirements-{name}.txt"),
            format!("requirements-{name}.txt"),
            format!("requirements_{name}.txt"),
            format!("{name}-requirements.txt"),
            format!("{name}_requirements.txt"),
        ];
        spellings.into_iter().find(|path| paths.contains(&path.as_str()))
    };
    let plain = paths.contains(&"requirements.txt").then(|| "requirements.txt".to_owned());
    let base = plain.or_else(|| BASE_SETS.iter().find_map(|name| set(name)));
    let test = TEST_SETS.iter().find_map(|name| set(name));
    let files: Vec<String> = base.into_iter().chain(test).collect();
    if files.is_empty() {
        return None;
    }
    let arguments: Vec<String> = files.iter().map(|file| format!("-r {file}")).collect();
    Some(Recipe {
        commands: vec![format!("pip install {}", arguments.join(" "))],
        reason: Some(files.join(" and ")),
    })
}

/// `[project] dependencies`, and the extras or groups for tests, of a `pyproject.toml`.
fn from_pyproject(text: &str) -> Option<Recipe> {
    let file: toml::Table = text.parse().ok()?;
    let project = file.get("project")?.as_table()?;
    let mut wanted = strings(project.get("dependencies"));
    let sets = [project.get("optional-dependencies"), file.get("dependency-groups")];
    for set in sets.into_iter().flatten().filter_map(toml::Value::as_table) {
        let best = TEST_SETS.iter().find_map(|name| set.get(*name));
        wanted.extend(strings(best));
    }
    let quoted = shlex::try_join(wanted.iter().map(String::as_str)).ok()?;
    (!wanted.is_empty()).then(|| Recipe {
        commands: vec![format!("pip install {quoted}")],
        reason: Some("[project] of pyproject.toml".to_owned()),
    })
}

fn strings(list: Option<&toml::Value>) -> Vec<String> {
    let items = list.and_then(toml::Value::as_array).into_iter().flatten();
    // What looks like an option is no requirement.
    let plain = items.filter_map(toml::Value::as_str).filter(|text| !text.starts_with('-'));
    plain.map(str::to_owned).collect()
}

/// The Python version that the project's files ask for, and which file that is.
#[must_use]
pub fn python(texts: &Texts) -> Option<(String, &'static str)> {
    for file in [".python-version", "runtime.txt"] {
        if let Some(version) = texts.get(file).and_then(|text| python_version::pinned(text)) {
            return Some((version, file));
        }
    }
    let pyproject = texts.get("pyproject.toml").and_then(|text| text.parse::<toml::Table>().ok());
    let range = pyproject.and_then(|file| required_python(&file));
    if let Some(version) = range.and_then(|range| python_version::required(&range)) {
        return Some((version, "pyproject.toml"));
    }
    let lock: serde_json::Value = serde_json::from_str(texts.get("Pipfile.lock")?).ok()?;
    let version = lock.pointer("/_meta/requires/python_version")?.as_str()?;
    Some((python_version::pinned(version)?, "Pipfile.lock"))
}

fn required_python(file: &toml::Table) -> Option<String> {
    let at = |keys: &[&str]| {
        let (last, tables) = keys.split_last()?;
        let table = tables.iter().try_fold(file, |table, key| table.get(*key)?.as_table())?;
        table.get(*last)?.as_str().map(str::to_owned)
    };
    at(&["project", "requires-python"])
        .or_else(|| at(&["tool", "poetry", "dependencies", "python"]))
}

/// Whether installing by these commands may read the file.
#[must_use]
pub fn reads(commands: &[String], path: &Path) -> bool {
    speaks_of_dependencies(path)
        || commands.iter().any(|command| names(command, path) || names_project(command))
}

fn speaks_of_dependencies(path: &Path) -> bool {
    let Some(path) = path.to_str() else { return false };
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let text = [".txt", ".in", ".pip"].iter().any(|ending| name.ends_with(ending));
    let requirement = |part: &str| part.contains("requirement") || part.contains("constraint");
    match folder {
        "" => {
            let fixed = ["pyproject.toml", "setup.py", "setup.cfg", "Pipfile", ".python-version"];
            fixed.contains(&name)
                || ["Pipfile.lock", "poetry.lock", "poetry.toml", "uv.lock", "pdm.lock"]
                    .contains(&name)
                || (text && requirement(name))
        }
        _ => text && path.split('/').any(requirement),
    }
}

/// Whether a word of the command is the path, its file name, or a folder it lies in.
fn names(command: &str, path: &Path) -> bool {
    let Some(path) = path.to_str() else { return false };
    let name = path.rsplit('/').next().unwrap_or(path);
    words(command).any(|word| {
        let word = word.trim_start_matches("./").trim_end_matches('/');
        let inside = || path.strip_prefix(word).is_some_and(|rest| rest.starts_with('/'));
        !word.is_empty() && (word == path || word.rsplit('/').next() == Some(name) || inside())
    })
}

/// Whether a word of the command is the project itself, such as in `pip install -e .[test]`.
fn names_project(command: &str) -> bool {
    words(command).any(|word| word == "." || word == "./" || word.starts_with(".["))
}

fn words(command: &str) -> impl Iterator<Item = &str> {
    command.split(|c: char| c.is_whitespace() || "=\"'();&|<>".contains(c))
}

#[cfg(test)]
#[path = "dependencies_tests.rs"]
mod tests;
