//! The suites and apps of a project, for people and for scripts.

use std::fmt::Write as _;
use std::path::Path;

use muletrain_proto::config::{self, Config};
use muletrain_proto::snapshot::App;

use crate::error::Error;
use crate::pure::suites::{self, Missing, Suites};
use crate::source::{self, Source};

/// Longest file that is read for what it says of tests: more is no configuration.
const CONFIG_LIMIT: u64 = 256 << 10;

/// Finds the suites and apps of the project in a folder, by reading files only.
///
/// # Errors
/// When the folder or its configuration cannot be read, or it is no project.
pub fn find(project: &Path) -> Result<Suites, Error> {
    let config = config::find(project)?.config;
    let names = source::list(project)?.names();
    let paths: Vec<&str> = names.iter().map(String::as_str).collect();
    let said = |missing| explain(missing, project);
    suites::check(&config, &paths).map_err(said)?;
    let speaking = paths.iter().filter(|path| suites::speaks(path));
    let texts = speaking.filter_map(|path| Some(((*path).to_owned(), text(&project.join(path))?)));
    suites::compose(&config, &paths, &texts.collect()).map_err(said)
}

/// Whether a folder with these files can be a project, before any of them is read.
///
/// # Errors
/// When it cannot.
pub fn check(project: &Path, config: &Config, names: &[String]) -> Result<(), Error> {
    let paths: Vec<&str> = names.iter().map(String::as_str).collect();
    suites::check(config, &paths).map_err(|missing| explain(missing, project))
}

/// The suites and apps of a source that was read.
///
/// # Errors
/// When a file has changed since, or it is no project.
pub fn of(project: &Path, config: &Config, source: &Source) -> Result<Suites, Error> {
    let texts = source.texts(source.manifest.texts().filter(|path| suites::speaks(path)))?;
    let paths: Vec<&str> = source.manifest.texts().collect();
    suites::compose(config, &paths, &texts).map_err(|missing| explain(missing, project))
}

fn explain(missing: Missing, project: &Path) -> Error {
    let path = project.to_owned();
    match missing {
        Missing::Manage => Error::NoManage { path },
        Missing::NamedManage(manage) => Error::MissingManage { path, manage },
        Missing::SeveralManage(found) => Error::SeveralManage { path, found },
        Missing::Folder { suite, path } => Error::Usage(format!(
            "suite {suite} is to run in {path:?}, in which the project has no file"
        )),
    }
}

/// The text of a file; none where it is too long for what is looked for, or no text.
fn text(path: &Path) -> Option<String> {
    let small = path.metadata().is_ok_and(|metadata| metadata.len() <= CONFIG_LIMIT);
    small.then(|| std::fs::read_to_string(path).ok())?
}

/// The apps as a table: label, number of test modules, dotted name.
#[must_use]
pub fn table(apps: &[App]) -> String {
    let width = |text: fn(&App) -> usize| apps.iter().map(text).max().unwrap_or_default();
    let label = width(|app| app.label.as_str().chars().count()).max("app".len());
    let mut table = format!("{:label$}  modules  package\n", "app");
    for app in apps {
        let count = app.test_files.len();
        let row = format!("{:label$}  {count:>7}  {}", app.label, app.module);
        let _ = writeln!(table, "{}", row.trim_end());
    }
    let files: usize = apps.iter().map(|app| app.test_files.len()).sum();
    let _ = writeln!(table, "{} apps, {files} test modules", apps.len());
    table
}

#[cfg(test)]
mod tests {
    use muletrain_proto::id::{AppLabel, SuiteName};

    use super::*;

    #[test]
    fn apps_are_listed_with_the_number_of_their_test_modules() {
        let app = |label: &str, module: &str, files: usize| App {
            label: AppLabel::new(label).unwrap(),
            module: module.to_owned(),
            path: module.replace('.', "/"),
            test_files: vec![String::new(); files],
            suite: SuiteName::default(),
        };
        let apps =
            [app("shop", "shop", 12), app("reviews", "shop.reviews", 0), app("(other)", "", 1)];
        insta::assert_snapshot!(table(&apps), @r"
        app      modules  package
        shop          12  shop
        reviews        0  shop.reviews
        (other)        1
        3 apps, 13 test modules
        ");
    }
}
