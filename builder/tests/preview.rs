//! What `build --dry-run` says, without an engine and without a snapshot.

#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod support;

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
