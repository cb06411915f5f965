//! What the program says on its own.

use std::process::{Command, Output};

fn agent(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muletrain-agent"))
        .args(arguments)
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME"))
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}

#[test]
fn check_is_content_with_a_host_that_has_everything() {
    let output = agent(&["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let said = text(&output.stdout);
    assert!(said.contains("ok       Docker Engine "), "{said}");
    assert!(said.contains("ok       Python 3."), "{said}");
}

#[test]
fn check_says_what_is_missing_and_the_fix() {
    let arguments = ["check", "--runtime", "docker", "--docker-host", "unix:///nowhere.sock"];
    let output = agent(&arguments);
    assert_eq!(output.status.code(), Some(4));
    insta::assert_snapshot!(text(&output.stdout), @r"
    missing  there is no Docker socket /nowhere.sock
             fix: install Docker Engine and start it, or name another with --docker-host
    ");
}

#[test]
fn an_agent_without_its_engine_does_not_start() {
    let state = tempfile::tempdir().unwrap();
    let path = state.path().to_string_lossy();
    let output = agent(&[
        "run",
        "--scheduler=unix:/nowhere",
        "--docker-host=unix:///nowhere.sock",
        "--state",
        &path,
    ]);
    assert_eq!(output.status.code(), Some(4));
    insta::assert_snapshot!(text(&output.stderr), @r"
    error: no Docker Engine answers at unix:///nowhere.sock; `muletrain-agent check` says what is missing
      because: Socket not found: /nowhere.sock
    ");
}

#[test]
fn an_engine_elsewhere_is_refused_in_plain_text() {
    let arguments = ["run", "--scheduler=unix:/nowhere", "--docker-host=tcp://10.0.0.7:2375"];
    let output = agent(&arguments);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(
        text(&output.stderr),
        @r#"error: Docker host "tcp://10.0.0.7:2375" is plain TCP to another host, where anyone on the way becomes root on it; forward its socket over ssh (an agent can be told --insecure-docker-host)"#
    );
}

#[test]
fn help_reads_as_expected() {
    insta::assert_snapshot!(text(&agent(&["run", "--help"]).stdout));
}

#[test]
fn documents_are_generated_from_the_command_line() {
    assert!(text(&agent(&["generate", "man"]).stdout).contains("muletrain\\-agent"));
    let completions = agent(&["generate", "completions", "bash"]);
    assert!(text(&completions.stdout).contains("_muletrain__agent()"));
}
