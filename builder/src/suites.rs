//! The apps of a project, for people and for scripts.

use std::fmt::Write as _;
use std::path::Path;

use muletrain_proto::config;
use muletrain_proto::snapshot::App;

use crate::error::Error;
use crate::pure::apps;
use crate::pure::project::{Manage, find_manage, folder_of};
use crate::source::{self, Source};

/// Longest `apps.py` that is read for names: more is no configuration of an app.
const CONFIG_LIMIT: u64 = 256 << 10;

/// Finds the apps of the project in a folder, by reading files only.
///
/// # Errors
/// When the folder or its configuration cannot be read.
pub fn find(project: &Path) -> Result<Vec<App>, Error> {
    let config = config::find(project)?.config;
    let paths = source::list(project)?.names();
    let found = find_manage(paths.iter().map(String::as_str));
    let manage = config.project.manage.or(match found {
        Manage::At(path) => Some(path),
        Manage::Nowhere | Manage::Several(_) => None,
    });
    let paths = || paths.iter().map(String::as_str);
    let texts =
        speaking(paths()).filter_map(|path| Some((path.to_owned(), text(&project.join(path))?)));
    Ok(apps::discover(paths(), folder_of(manage.as_deref()), &texts.collect()))
}

/// The apps of a source that was read.
///
/// # Errors
/// When a file has changed since.
pub fn of(source: &Source, manage: Option<&str>) -> Result<Vec<App>, source::Error> {
    let texts = source.texts(speaking(source.manifest.texts()))?;
    Ok(apps::discover(source.manifest.texts(), folder_of(manage), &texts))
}

/// Those of a project's files whose texts tell of apps.
fn speaking<'a>(paths: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    paths.filter(|path| path.ends_with("/apps.py"))
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
    use muletrain_proto::id::AppLabel;

    use super::*;

    #[test]
    fn apps_are_listed_with_the_number_of_their_test_modules() {
        let app = |label: &str, module: &str, files: usize| App {
            label: AppLabel::new(label).unwrap(),
            module: module.to_owned(),
            path: module.replace('.', "/"),
            test_files: vec![String::new(); files],
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
