//! What `build --dry-run` says, without an engine and without a snapshot.

#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod support;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use support::Project;

fn project() -> Project {
    let mut project = Project::new("");
    let none = format!("unix://{}/no.sock", project.path().display());
    project.variables.push(("DOCKER_HOST".to_owned(), none));
    project.write(".gitignore", ".env\n/venv/\n");
    project.write("keys/test.pem", "-----BEGIN PRIVATE KEY-----\n");
    std::os::unix::fs::symlink("manage.py", project.path().join("link")).unwrap();
    project.git(&["add", "-A"]);
    project.git(&["commit", "-q", "-m", "y"]);
    project.write(".env", "SECRET=canary");
    project.write("venv/bin/python", "");
    project.write("deploy.key", "");
    project.write("shop/new file.py", "x = 1\n");
    std::os::unix::fs::symlink("/etc/passwd", project.path().join("passwd")).unwrap();
    project
}

#[test]
fn what_goes_in_is_counted_and_what_stays_out_is_named() {
    let built = project().build(&["--dry-run"]);
    assert_eq!((built.code, built.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!(built.stdout, @r"
    10 files, 46 bytes
    left out deploy.key: not tracked by git and named like a file of secrets
    left out passwd: a link that leads out of the project
    left out .env, venv: ignored by git
    in it, and private keys by their look: keys/test.pem
    ");
}

#[test]
fn every_path_is_listed_where_more_is_wanted() {
    insta::assert_snapshot!(project().build(&["--dry-run", "-v"]).stdout, @r"
    .gitignore
    django/__init__.py
    keys/test.pem
    link → manage.py
    manage.py
    muletrain.toml
    shop/__init__.py
    shop/models.py
    shop/new file.py
    shop/tests.py
    10 files, 46 bytes
    left out deploy.key: not tracked by git and named like a file of secrets
    left out passwd: a link that leads out of the project
    left out .env: ignored by git
    left out venv: ignored by git
    in it, and private keys by their look: keys/test.pem
    ");
}

#[test]
fn of_a_commit_only_what_is_in_it_is_told() {
    insta::assert_snapshot!(project().build(&["--dry-run", "--committed"]).stdout, @r"
    9 files, 40 bytes
    in it, and private keys by their look: keys/test.pem
    ");
}

#[test]
fn scripts_get_all_of_it() {
    let built = project().build(&["--dry-run", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&built.stdout).unwrap();
    assert_eq!(value["count"], 10);
    let link = serde_json::json!({"path": "link", "link_to": "manage.py"});
    assert!(value["files"].as_array().unwrap().contains(&link));
    assert_eq!(value["tracked_keys"], serde_json::json!(["keys/test.pem"]));
    let reasons = value["left_out"].as_array().unwrap().iter().map(|it| &it["reason"]);
    assert!(reasons.eq(["secret_name", "outside_link", "ignored"]));
    assert_eq!(value["left_out"][2]["paths"], serde_json::json!([".env", "venv"]));
}

/// A command for whom permissions count, which they do not for a root with all its powers.
fn as_ordinary_user(command: Command) -> Command {
    if !rustix::process::geteuid().is_root() {
        return command;
    }
    let mut without = Command::new("setpriv");
    without.args(["--bounding-set", "-dac_override,-dac_read_search", "--inh-caps=-all", "--"]);
    without.arg(command.get_program()).args(command.get_args());
    without
}

#[test]
fn folders_that_cannot_be_read_are_named() {
    let project = Project::new("");
    project.write(".gitignore", "/ignored/\n");
    for folder in ["closed", "shop/closed", "empty/deep", "ignored"] {
        project.write(&format!("{folder}/a.py"), "");
    }
    let closed = ["closed", "shop/closed", "empty/deep", "ignored"];
    let allow = |mode: u32| {
        for folder in closed {
            fs::set_permissions(project.path().join(folder), Permissions::from_mode(mode)).unwrap();
        }
    };
    allow(0o000);
    let built = as_ordinary_user(project.command(&["--dry-run"])).output().unwrap();
    allow(0o755);
    insta::assert_snapshot!(String::from_utf8(built.stdout).unwrap(), @r"
    7 files, 10 bytes
    left out closed, empty/deep, shop/closed: a folder that cannot be read; make it readable or let git ignore it
    left out ignored: ignored by git
    ");
}

#[test]
fn a_sparse_index_is_named_with_the_way_out() {
    let project = Project::new("");
    project.write("frontend/src/index.js", "");
    project.git(&["add", "-A"]);
    project.git(&["commit", "-q", "-m", "y"]);
    project.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "shop", "django"]);
    let refusal = project.build(&["--dry-run"]).error(4);
    let refusal = refusal.replace(project.path().to_str().unwrap(), "PROJECT");
    insta::assert_snapshot!(refusal, @"error: cannot read the git repository of PROJECT: it has a sparse index; write it out with git -C PROJECT sparse-checkout reapply --no-sparse-index");
    project.git(&["sparse-checkout", "reapply", "--no-sparse-index"]);
    assert_eq!(project.build(&["--dry-run"]).code, Some(0));
}
