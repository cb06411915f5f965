//! The Docker Engine of this host: images of sample projects, and what an agent has on it.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use muletrain_proto::link::RunBrief;
use muletrain_proto::snapshot::Content;

use super::project::{self, run, virtual_environment};

const BASE: &str = "muletrain-test-base:bookworm";

/// Who tests run as: a number without a name, as a hardened image may have it.
const USER: &str = "10001:10001";

fn docker(arguments: &[&str]) -> String {
    run(Command::new("docker").args(arguments))
}

/// A run of a project as containers of an image made of it.
pub fn docker_brief(project: &Path, apps: &[&str]) -> RunBrief {
    let platform = docker(&["version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"]);
    let content = Content::Docker {
        image: image(project),
        platform,
        root: "/app".to_owned(),
        user: USER.to_owned(),
        base: None,
    };
    project::brief(content, "python3", apps)
}

/// Id of an image with the project in `/app` and Django beside the base's Python. The same
/// project gives the same image, from the engine's cache.
fn image(project: &Path) -> String {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &Path, to: &str| {
        run(Command::new("cp")
            .arg("-r")
            .arg("--preserve=all")
            .arg(from)
            .arg(folder.path().join(to)));
    };
    copy(project, "project");
    run(Command::new("chmod").args(["-R", "a+rX"]).arg(folder.path()));
    let dockerfile = format!(
        "FROM {}\nCOPY project /app\nRUN chown -R {USER} /app\nWORKDIR /app\n",
        with_django()
    );
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
    build(folder.path())
}

/// The base image with Django.
fn with_django() -> &'static str {
    static IMAGE: OnceLock<String> = OnceLock::new();
    IMAGE.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/bin/base-image");
        run(&mut Command::new(script));
        let folder = tempfile::tempdir().unwrap();
        let python = virtual_environment().join("bin/python");
        let packages = run(Command::new(python)
            .args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]));
        for name in ["django", "asgiref", "sqlparse"] {
            run(Command::new("cp")
                .args(["-r", "--preserve=all"])
                .arg(Path::new(&packages).join(name))
                .arg(folder.path()));
        }
        let dockerfile = format!(
            "FROM {BASE}\nCOPY django /usr/lib/python3/dist-packages/django\n\
             COPY asgiref /usr/lib/python3/dist-packages/asgiref\n\
             COPY sqlparse /usr/lib/python3/dist-packages/sqlparse\n"
        );
        std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
        build(folder.path())
    })
}

/// An image of the base with a command of its own, as a service has it; its tag.
pub fn service_image(name: &str, command: &str) -> String {
    with_django();
    let folder = tempfile::tempdir().unwrap();
    let dockerfile = format!("FROM {BASE}\nCMD {command}\n");
    std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
    let tag = format!("muletrain-test-{name}:agent");
    docker(&["tag", &build(folder.path()), &tag]);
    tag
}

fn build(folder: &Path) -> String {
    run(Command::new("docker")
        .args(["build", "--quiet", "--network", "none", "."])
        .env("DOCKER_BUILDKIT", "0")
        .current_dir(folder))
}

/// Ids of all containers of a run, alive or not.
pub fn containers_of(brief: &RunBrief) -> Vec<String> {
    let label = format!("label=muletrain.run={}", brief.run);
    let listed = docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &label]);
    listed.lines().map(str::to_owned).collect()
}

/// A field of a container, by a Go template.
pub fn inspect(container: &str, template: &str) -> String {
    docker(&["inspect", "--format", template, container])
}

/// Kills a container from outside.
pub fn kill(container: &str) {
    docker(&["kill", container]);
}
