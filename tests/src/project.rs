//! Projects to run: copies of the samples, and small ones made for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::output;

/// Settings of a project with two apps and a database in memory.
const SETTINGS: &str = "\
SECRET_KEY = 'only-for-tests'
USE_TZ = True
INSTALLED_APPS = ['app', 'other']
DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}}
";

/// Configuration that works in both runtimes.
const CONFIGURATION: &str = "\
[image]
base = 'muletrain-test-base:bookworm'
install = ['pip install -r requirements.txt']
";

/// Folder of a sample project.
#[must_use]
pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("projects").join(name)
}

/// Copies a sample project to a folder that is not there yet, as a git checkout.
pub fn copy_sample(name: &str, folder: &Path) {
    copy(&sample(name), folder);
    commit_first(folder);
}

/// Makes a project of two apps, `app` and `other`, as a git checkout. A file given here goes
/// before the one that such a project has.
pub fn small(files: &[(&str, &str)], folder: &Path) {
    copy(&sample("faults").join("manage.py"), &folder.join("manage.py"));
    copy(&sample("faults").join("requirements.txt"), &folder.join("requirements.txt"));
    let usual = [
        ("muletrain.toml", CONFIGURATION),
        ("config/__init__.py", ""),
        ("config/settings.py", SETTINGS),
        ("app/__init__.py", ""),
        ("other/__init__.py", ""),
    ];
    for (path, text) in usual.iter().chain(files) {
        write(folder, path, text);
    }
    commit_first(folder);
}

/// Writes a file of a project.
///
/// # Panics
/// When it cannot be written.
pub fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("folders can be made");
    fs::write(path, text).expect("files can be written");
}

/// Runs git in a checkout.
pub fn git(folder: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost"];
    let mut command = Command::new("git");
    // Nothing of how this user works, such as signing what they commit.
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    output(command.arg("-C").arg(folder).args(identity).args(arguments));
}

/// Commits everything as it is.
pub fn commit(folder: &Path, message: &str) {
    git(folder, &["add", "--all"]);
    git(folder, &["commit", "--quiet", "--message", message]);
}

fn commit_first(folder: &Path) {
    git(folder, &["init", "--quiet", "--initial-branch", "main"]);
    commit(folder, "as it is");
}

/// Copies what a user would have checked out: no caches, no results.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("folders can be made");
        for entry in fs::read_dir(from).expect("samples can be read") {
            let name = entry.expect("samples can be read").file_name();
            if ![".muletrain", ".venv", "__pycache__"].map(Some).contains(&name.to_str()) {
                copy(&from.join(&name), &to.join(&name));
            }
        }
    } else {
        fs::create_dir_all(to.parent().expect("it is in a folder")).expect("folders can be made");
        fs::copy(from, to).expect("files can be copied");
    }
}
