//! The Python that tests run with on this host, and its virtual environment.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use tokio::process::Command;

use super::{Cache, Error, step};
use crate::build::Frozen;
use crate::progress::Progress;
use crate::pure::dependencies::{self, Recipe, Texts};
use crate::pure::digest::Digest;
use crate::pure::python_version;
use crate::pure::suites;

/// A Python that can run the tests.
#[derive(Debug)]
pub(super) struct Python {
    /// Its absolute path.
    pub path: String,
    /// What it calls itself.
    pub version: String,
    /// Digest of what is installed for it.
    pub key: String,
}

/// Prints where the interpreter is and which it is.
const DESCRIBE: &str =
    "import sys; print(sys.executable); print(sys.version.replace(chr(10), ' '))";

/// Prints what is installed and in which version, one a line.
const INSTALLED: &str = "import importlib.metadata as m; \
    print(*sorted({f\"{d.metadata['Name']} {d.version}\" for d in m.distributions()}), sep='\\n')";

/// Finds or makes the Python of a project whose tree is at `root`.
pub(super) async fn prepare(
    cache: &Cache,
    frozen: &Frozen,
    texts: &Texts,
    root: &Path,
    progress: &Progress,
) -> Result<Python, Error> {
    let recipe = recipe(frozen, texts);
    let imports = suites::imports(&frozen.suites);
    let base = base(frozen, texts, recipe.commands.is_empty(), progress).await?;
    if recipe.commands.is_empty() {
        progress.note(format!(
            "the project has no lock or requirements file: tests use {} as it is",
            base.path
        ));
        let fix = "install the project's dependencies for it, or activate their environment";
        let key = installed(&base.path).await?;
        return able(Python { key, ..base }, &imports, fix).await;
    }
    if let Some(reason) = &recipe.reason {
        progress.note(format!("dependencies come from {reason}: {}", recipe.commands.join(", ")));
    }
    if !frozen.config.image.packages.is_empty() {
        progress.note("[image] packages are not installed on this host");
    }
    let key = Digest::new("muletrain environment 1")
        .field(&base.path)
        .field(&base.version)
        .list(&recipe.commands)
        .field(
            frozen
                .source
                .manifest
                .only(|path| dependencies::reads(&recipe.commands, path))
                .digest(),
        )
        .finish();
    let folder = cache.environments().join(&key);
    make_once(&folder, &base, &recipe, root, progress).await?;
    // So that it is known when it was used. Failing at that only makes it seem older.
    let _ = File::open(&folder).and_then(|folder| folder.set_modified(SystemTime::now()));
    let path = folder.join("bin/python").to_string_lossy().into_owned();
    let python = Python { path, version: base.version, key };
    able(python, &imports, "add it to what is installed").await
}

fn recipe(frozen: &Frozen, texts: &Texts) -> Recipe {
    match frozen.config.image.install.is_empty() {
        true => dependencies::recipe(frozen.source.manifest.texts(), texts),
        false => Recipe { commands: frozen.config.image.install.clone(), reason: None },
    }
}

/// The interpreter to start from.
async fn base(
    frozen: &Frozen,
    texts: &Texts,
    as_it_is: bool,
    progress: &Progress,
) -> Result<Python, Error> {
    if let Some(configured) = &frozen.config.project.python {
        let version = python_version::pinned(configured).map(|version| format!("python{version}"));
        return describe(version.as_ref().unwrap_or(configured)).await;
    }
    if as_it_is && let Some(active) = std::env::var_os("VIRTUAL_ENV").filter(|it| !it.is_empty()) {
        return describe(&PathBuf::from(active).join("bin/python").to_string_lossy()).await;
    }
    if let Some((version, file)) = dependencies::python(texts) {
        match describe(&format!("python{version}")).await {
            Ok(python) => return Ok(python),
            Err(_) => progress.note(format!(
                "{file} asks for Python {version}, which this host lacks: taking python3"
            )),
        }
    }
    describe("python3").await
}

async fn describe(python: &str) -> Result<Python, Error> {
    let output = output(python, DESCRIBE).await?;
    let broken =
        |bytes: &[u8]| Error::BrokenPython { python: python.to_owned(), said: tail(bytes) };
    if !output.status.success() {
        return Err(broken(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().collect::<Vec<_>>()[..] {
        [path, version] if path.starts_with('/') => {
            Ok(Python { path: path.to_owned(), version: version.to_owned(), key: String::new() })
        }
        _ => Err(broken(&output.stdout)),
    }
}

/// Digest of what is installed for a Python that is used as it is: another one gives other tests.
async fn installed(python: &str) -> Result<String, Error> {
    let output = output(python, INSTALLED).await?;
    Ok(Digest::new("muletrain installed 1").field(&output.stdout).finish())
}

/// The Python, if it can run the tests.
async fn able(python: Python, imports: &str, fix: &'static str) -> Result<Python, Error> {
    let output = output(&python.path, &format!("import {imports}")).await?;
    match output.status.success() {
        true => Ok(python),
        false => {
            let (python, imports) = (python.path, imports.to_owned());
            Err(Error::Unable { python, imports, said: tail(&output.stderr), fix })
        }
    }
}

async fn output(python: &str, code: &str) -> Result<std::process::Output, Error> {
    let mut command = Command::new(python);
    command.args(["-I", "-c", code]).stdin(Stdio::null()).kill_on_drop(true);
    let failed = |source| Error::NoPython { python: python.to_owned(), source };
    command.output().await.map_err(failed)
}

/// The last line of what a program said.
fn tail(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim().lines().last().unwrap_or("nothing").to_owned()
}

/// Makes an environment unless it is there; of several builders one makes it, the others wait.
async fn make_once(
    folder: &Path,
    base: &Python,
    recipe: &Recipe,
    root: &Path,
    progress: &Progress,
) -> Result<(), Error> {
    let complete = folder.join("muletrain-complete");
    if complete.exists() {
        return Ok(());
    }
    let failed = |source| Error::Cache { path: folder.to_owned(), source };
    let _lock = lock(folder.with_extension("lock"), progress).await.map_err(failed)?;
    if complete.exists() {
        return Ok(());
    }
    progress.say(&format!("making a virtual environment of {}", base.path));
    // An environment cannot be moved, so what an interrupted builder left is made again in place.
    remove(folder).map_err(failed)?;
    let quoted = shlex::try_join([base.path.as_str(), "-m", "venv", &folder.to_string_lossy()]);
    let venv = quoted.map_err(|error| failed(io::Error::other(error)))?;
    for command in std::iter::once(&venv).chain(&recipe.commands) {
        progress.say(command);
        step(command, folder, root).await?;
    }
    File::create(complete).map(drop).map_err(failed)
}

/// Holds the lock of an environment until it is dropped.
async fn lock(path: PathBuf, progress: &Progress) -> io::Result<File> {
    let file = File::options().create(true).append(true).open(path)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(fs::TryLockError::WouldBlock) => {}
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    progress.say("waiting for another builder that makes the same virtual environment");
    tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await?
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Runs a command in the project with the environment active; shows its log where it fails.
async fn step(command: &str, environment: &Path, root: &Path) -> Result<(), Error> {
    let mut shell = Command::new("sh");
    shell.env("PATH", step::path(environment)).env("VIRTUAL_ENV", environment);
    let status = step::run(shell.env_remove("PYTHONHOME"), command, root).await?;
    match status.success() {
        true => Ok(()),
        false => Err(Error::Step { command: command.to_owned(), status }),
    }
}
