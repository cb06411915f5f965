//! Dependencies as the lock files of projects name them, really installed from the package index.
//! Without one, and without an engine, these fail.

#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod support;

use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use support::Project;
use support::engine::{BASE, Frozen, shell};

/// What projects ask for by way of `runtime.txt`: a Python that nobody has an image of. It stands
/// for `python:3.12-slim` and the like, and has a "Django", which none of the lock files names.
static PYTHON: LazyLock<&str> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "FROM {}\nRUN rm -f /usr/lib/python3*/EXTERNALLY-MANAGED \\\n\
         && mkdir /usr/lib/python3/dist-packages/django \\\n\
         && touch /usr/lib/python3/dist-packages/django/__init__.py\n",
        *BASE
    );
    std::fs::write(folder.path().join("Dockerfile"), text).unwrap();
    let mut build = Command::new("docker");
    build.args(["build", "--quiet", "--tag", "python:3.99-slim"]).arg(folder.path());
    let built = build.env("DOCKER_BUILDKIT", "0").output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    "python-3.99"
});

/// A project without a word on its image but the authorities that this host trusts.
fn project(files: &[(&str, &str)]) -> Frozen {
    let trusted = std::env::var("SSL_CERT_FILE").ok().filter(|path| Path::new(path).is_file());
    let trusted = trusted.unwrap_or_else(|| "/etc/ssl/certs/ca-certificates.crt".to_owned());
    let project = Project::new(&format!("[image]\nca_bundle = {trusted:?}\n"));
    project.write("runtime.txt", *PYTHON);
    // Tests at once, and one after another, must not find what is installed of one another.
    project.write("requirements/own.txt", &project.name());
    for (path, text) in files {
        project.write(path, text);
    }
    Frozen(project)
}

/// Says that the locked version is installed, that it came from a lock file, and that of the tool
/// that read it nothing is left.
fn assert_installed(frozen: &Frozen, lock: &str) {
    let built = frozen.0.build(&["--runtime", "docker"]);
    let told = format!("dependencies come from {lock}: ");
    assert!(built.stderr.contains(&told), "{}", built.stderr);
    let version = "python3 -c 'import idna; print(idna.__version__)'";
    let others = "pip list --format freeze --path $(python3 -c \
                  'import sysconfig; print(sysconfig.get_path(\"purelib\"))')";
    assert_eq!(shell(&built.snapshot(), version), "3.7");
    assert_eq!(shell(&built.snapshot(), others), "idna==3.7", "and nothing else");
}

#[test]
fn requirements_are_installed_by_pip() {
    let frozen = project(&[("requirements.txt", "idna==3.7\n")]);
    assert_installed(&frozen, "requirements.txt");
}

#[test]
fn hashes_of_pip_tools_are_checked() {
    let text = "\
# by pip-compile --generate-hashes requirements.in
idna==3.7 \\
    --hash=sha256:028ff3aadf0609c1fd278d8ea3089299412a7a8b9bd005dd08b9f8285bcb5cfc \\
    --hash=sha256:82fee1fc78add43492d3a1898bfa6d8a904cc97d8427f683ed8e798d07761aa0
    # via -r requirements.in
";
    let files = [("requirements.in", "idna==3.7\n"), ("requirements.txt", text)];
    let frozen = project(&files);
    assert_installed(&frozen, "requirements.txt");

    frozen
        .0
        .write("requirements.txt", &text.replace("82fee1fc", "00000000").replace("028f", "0000"));
    let built = frozen.0.build(&["--runtime", "docker"]);
    assert!(built.error(4).contains("failed with exit code 1"), "{}", built.stderr);
    assert!(built.stderr.contains("DO NOT MATCH THE HASHES"), "{}", built.stderr);
}

#[test]
fn a_lock_of_uv_is_installed() {
    let pyproject = "\
[project]
name = 'shop'
version = '1'
requires-python = '>=3.8'
dependencies = []

[dependency-groups]
test = ['idna==3.7']
";
    let lock = "\
version = 1
revision = 1
requires-python = '>=3.8'

[[package]]
name = 'idna'
version = '3.7'
source = { registry = 'https://pypi.org/simple' }
wheels = [
    { url = 'https://files.pythonhosted.org/packages/e5/3e/741d8c82801c347547f8a2a06aa57dbb1992be9e948df2ea0eda2c8b79e8/idna-3.7-py3-none-any.whl', hash = 'sha256:82fee1fc78add43492d3a1898bfa6d8a904cc97d8427f683ed8e798d07761aa0', size = 66836 },
]

[[package]]
name = 'shop'
version = '1'
source = { virtual = '.' }

[package.dev-dependencies]
test = [
    { name = 'idna' },
]

[package.metadata]

[package.metadata.requires-dev]
test = [{ name = 'idna', specifier = '==3.7' }]
";
    assert_installed(&project(&[("pyproject.toml", pyproject), ("uv.lock", lock)]), "uv.lock");
}

#[test]
fn a_lock_of_poetry_is_installed() {
    // With a source of its own, because mirrors of the index often have nothing but its pages.
    let pyproject = "\
[project]
name = \"shop\"
version = \"1\"
requires-python = \">=3.8\"

[tool.poetry]
package-mode = false

[tool.poetry.group.test.dependencies]
idna = \"3.7\"

[[tool.poetry.source]]
name = \"index\"
url = \"https://pypi.org/simple/\"
";
    let lock = "\
[[package]]
name = \"idna\"
version = \"3.7\"
description = \"Internationalized Domain Names in Applications (IDNA)\"
optional = false
python-versions = \">=3.5\"
groups = [\"test\"]
files = [
    {file = \"idna-3.7-py3-none-any.whl\", hash = \"sha256:82fee1fc78add43492d3a1898bfa6d8a904cc97d8427f683ed8e798d07761aa0\"},
    {file = \"idna-3.7.tar.gz\", hash = \"sha256:028ff3aadf0609c1fd278d8ea3089299412a7a8b9bd005dd08b9f8285bcb5cfc\"},
]

[package.source]
type = \"legacy\"
url = \"https://pypi.org/simple\"
reference = \"index\"

[metadata]
lock-version = \"2.1\"
python-versions = \">=3.8\"
content-hash = \"ce382f874758e827038fc3bf8e54d144222b5b8f4c6a0ffdc6c4e5e946c1f0a7\"
";
    let frozen = project(&[("pyproject.toml", pyproject), ("poetry.lock", lock)]);
    assert_installed(&frozen, "poetry.lock");
}

#[test]
fn a_lock_of_pipenv_is_installed() {
    let pipfile = "\
[[source]]
url = 'https://pypi.org/simple'
verify_ssl = true
name = 'pypi'

[packages]

[dev-packages]
idna = '==3.7'
";
    let lock = r#"{
    "_meta": {
        "hash": {"sha256": "ed539853da691593258d432e2997f0d09335e220cb32d95d01e5f5072cb75fd0"},
        "pipfile-spec": 6,
        "requires": {},
        "sources": [{"name": "pypi", "url": "https://pypi.org/simple", "verify_ssl": true}]
    },
    "default": {},
    "develop": {
        "idna": {
            "hashes": [
                "sha256:028ff3aadf0609c1fd278d8ea3089299412a7a8b9bd005dd08b9f8285bcb5cfc",
                "sha256:82fee1fc78add43492d3a1898bfa6d8a904cc97d8427f683ed8e798d07761aa0"
            ],
            "index": "pypi",
            "version": "==3.7"
        }
    }
}
"#;
    assert_installed(&project(&[("Pipfile", pipfile), ("Pipfile.lock", lock)]), "Pipfile.lock");
}
