//! Snapshots for the process runtime, and what is said when there can be none.

#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod support;

use std::path::Path;
use std::process::Command;

use muletrain_proto::snapshot::{Content, Snapshot};
use support::Project;

/// Copies the project's own "Django" into the environment.
const INSTALL: &str = "[image]\n\
    install = [\"cp -r django $VIRTUAL_ENV/lib/python*/site-packages/\"]\n";

fn root(content: &Content) -> &Path {
    Path::new(content.root())
}

#[test]
fn the_tree_is_copied_and_the_environment_is_made_once() {
    let project = Project::new(INSTALL);
    project.write("shop/new.py", "untracked");

    let first = project.build(&["--runtime", "process"]);
    let snapshot = first.snapshot();
    assert!(first.stderr.contains("making a virtual environment"));
    assert_eq!(
        std::fs::read_to_string(root(&snapshot.content).join("shop/new.py")).unwrap(),
        "untracked"
    );
    let python = Command::new(&snapshot.python).args(["-c", "import django"]).status().unwrap();
    assert!(python.success());
    let labels: Vec<&str> = snapshot.apps.iter().map(|app| app.label.as_str()).collect();
    assert_eq!(labels, ["shop"]);

    let again = project.build(&["--runtime", "process"]);
    assert!(!again.stderr.contains("making a virtual environment"));
    assert_eq!(again.snapshot(), snapshot);

    project.write("shop/new.py", "changed");
    let changed = project.build(&["--runtime", "process"]).snapshot();
    assert_ne!(changed.id, snapshot.id);
    assert_eq!(changed.python, snapshot.python);
    assert_eq!(
        std::fs::read_to_string(root(&snapshot.content).join("shop/new.py")).unwrap(),
        "untracked"
    );
}

#[test]
fn builders_at_once_make_one_environment() {
    let project = Project::new(INSTALL);
    let builders: Vec<_> = (0..3)
        .map(|_| {
            let mut command = project.command(&["--runtime", "process"]);
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let outputs: Vec<_> =
        builders.into_iter().map(|builder| builder.wait_with_output().unwrap()).collect();
    let said = outputs.iter().map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
    let made = said.filter(|said| said.contains("making a virtual environment")).count();
    assert!(outputs.iter().all(|output| output.status.success()));
    assert_eq!(made, 1);
}

#[test]
fn a_step_that_fails_shows_its_whole_log_and_is_tried_again() {
    let project = Project::new("[image]\ninstall = [\"echo first; echo second >&2; exit 7\"]\n");
    let built = project.build(&["--runtime", "process"]);
    assert!(built.stderr.contains("first\nsecond\n"), "{}", built.stderr);
    insta::assert_snapshot!(built.error(4), @"error: `echo first; echo second >&2; exit 7` failed with exit status: 7 while installing the dependencies");
    project.write("muletrain.toml", INSTALL);
    project.build(&["--runtime", "process"]).snapshot();
}

#[test]
fn services_need_docker_or_a_server_of_ones_own() {
    let service = "[services.db]\nimage = \"postgres:16\"\n";
    let project = Project::new(&format!("{INSTALL}{service}"));
    insta::assert_snapshot!(project.build(&["--runtime", "process"]).error(4), @"error: the process runtime starts no services, and db is configured; run with Docker, or set the host or URL of a server of your own in [env] set");
    let env = "[env]\nset = { DATABASE_URL = \"postgres://localhost/shop\" }\n";
    project.write("muletrain.toml", &format!("{INSTALL}{env}{service}"));
    let snapshot = project.build(&["--runtime", "process"]).snapshot();
    assert_eq!(snapshot.services.len(), 1);
    assert_eq!(snapshot.notes, ["not started: db; tests use the servers that [env] names"]);
}

#[test]
fn without_an_engine_tests_run_as_processes_unless_docker_was_asked_for() {
    let mut project = Project::new(INSTALL);
    let host = format!("unix://{}/no.sock", project.path().display());
    project.variables.push(("DOCKER_HOST".to_owned(), host.clone()));
    let error = project.build(&["--runtime", "docker"]).error(4).replace(&host, "HOST");
    insta::assert_snapshot!(error, @r"
    error: no Docker Engine answers at HOST; start it, or run with --runtime process
      because: No such file or directory (os error 2)
    ");
    let snapshot = project.build(&[]).snapshot();
    assert!(matches!(snapshot.content, Content::Process { .. }));
    let notes = snapshot.notes.join("\n").replace(&host, "HOST");
    insta::assert_snapshot!(notes, @"tests run as processes of this host: no Docker Engine answers at HOST; start it, or run with --runtime process");
}

#[test]
fn what_is_no_project_is_said_so() {
    let project = Project::new("");
    let shown = |error: String| {
        error.replace(&*project.path().canonicalize().unwrap().to_string_lossy(), "PROJECT")
    };
    project.remove("manage.py");
    project.write("a/manage.py", "");
    project.write("b/manage.py", "");
    insta::assert_snapshot!(shown(project.build(&["--runtime", "process"]).error(2)), @"error: PROJECT has no manage.py but a/manage.py and b/manage.py; choose one with [project] manage");
    project.write("muletrain.toml", "[project]\nmanage = \"c/manage.py\"\n");
    insta::assert_snapshot!(shown(project.build(&["--runtime", "process"]).error(2)), @"error: PROJECT has no c/manage.py, which [project] manage names");
    project.write("muletrain.toml", "[run]\nslot = 2\n");
    insta::assert_snapshot!(shown(project.build(&["--runtime", "process"]).error(2)), @r#"error: PROJECT/muletrain.toml:2: unknown key "slot"; did you mean "slots"?"#);
    project
        .write("muletrain.toml", "[project]\nmanage = \"a/manage.py\"\npython = \"no-python\"\n");
    insta::assert_snapshot!(shown(project.build(&["--runtime", "process"]).error(4)), @r"
    error: cannot start no-python; install it, or name another with [project] python
      because: No such file or directory (os error 2)
    ");
}

#[test]
fn steps_prepare_a_copy_of_the_tree_that_is_kept() {
    let prepare = "prepare = [\"echo run >&2; env > seen; mkdir static build && cat shop/models.py | \
                   tee static/all build/all\", \"touch shop/models.py && python -c 'import shop'\"]\n";
    let env = "[env]\nset = { GREETING = \"hello\" }\npass = [\"TOKEN\"]\n";
    let mut project = Project::new(&format!("{INSTALL}{prepare}{env}"));
    project.variables.push(("TOKEN".to_owned(), "canary".to_owned()));
    project.write("shop/models.py", "x = 1\n");
    let first = project.build(&["--runtime", "process"]);
    let read = |snapshot: &Snapshot, path: &str| {
        std::fs::read_to_string(root(&snapshot.content).join(path)).unwrap()
    };
    let snapshot = first.snapshot();
    assert_eq!(read(&snapshot, "static/all") + &read(&snapshot, "build/all"), "x = 1\nx = 1\n");
    let seen = read(&snapshot, "seen");
    assert!(seen.contains("GREETING=hello\n") && !seen.contains("canary"), "{seen}");

    let again = project.build(&["--runtime", "process"]);
    assert!(!again.stderr.contains("builder: touch"), "{}", again.stderr);
    assert_eq!(again.snapshot(), snapshot);
    project.write("shop/models.py", "x = 2\n");
    let changed = project.build(&["--runtime", "process"]).snapshot();
    assert_eq!(read(&changed, "static/all"), "x = 2\n");
    assert_eq!(read(&snapshot, "static/all"), "x = 1\n");
}

#[test]
fn a_step_that_fails_to_prepare_shows_its_whole_log_and_leaves_nothing() {
    let fails = "prepare = [\"touch done; echo first; echo second >&2; exit 7\"]\n";
    let project = Project::new(&format!("{INSTALL}{fails}"));
    let built = project.build(&["--runtime", "process"]);
    assert!(built.stderr.contains("first\nsecond\n"), "{}", built.stderr);
    insta::assert_snapshot!(built.error(4), @"error: `touch done; echo first; echo second >&2; exit 7` of [image] prepare failed with exit status: 7");
    for folder in ["prepared", "temporary"] {
        assert_eq!(std::fs::read_dir(project.cache().join(folder)).unwrap().count(), 0);
    }
}
