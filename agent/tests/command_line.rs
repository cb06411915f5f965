//! What the program says on its own.

use std::process::{Command, Output};

fn agent(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muletrain-agent"))
        .args(arguments)
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME"))
        .output()
        .unwrap()
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
    insta::assert_snapshot!(text(&output.stderr), @r"
    Take work from a scheduler until told to stop

    SIGTERM finishes what is held and takes nothing new; a second one, or SIGINT, gives up what is held.
    In every case nothing is left behind on this host.

    Usage: muletrain-agent run [OPTIONS] --scheduler <ADDRESS>

    Options:
          --scheduler <ADDRESS>
              Where the scheduler listens: unix:PATH or http://HOST:PORT
              
              [env: MULETRAIN_SCHEDULER=]

          --slots <N>
              Pods run at once [default: one for each processor]
              
              [env: MULETRAIN_SLOTS=]

          --runtime <RUNTIME>
              What pods are made of

              Possible values:
              - docker:  Containers
              - process: Processes of this host, without limits or a fence around them
              
              [env: MULETRAIN_RUNTIME=]
              [default: docker]

          --docker-host <URL>
              The Docker Engine: unix:///PATH or tcp://HOST:PORT [default: the local one]
              
              [env: DOCKER_HOST=]

          --insecure-docker-host
              Allow plain TCP to a Docker Engine on another host

          --id <ID>
              Name of this agent, the same over its restarts [default: the host's name]
              
              [env: MULETRAIN_AGENT_ID=]

          --state <FOLDER>
              Folder for what runs at the moment [default: in the user's state folder]
              
              [env: MULETRAIN_STATE=]

      -h, --help
              Print help (see a summary with '-h')

    Output:
          --color <COLOR>
              When to use colour

              Possible values:
              - auto:   On a terminal, unless `NO_COLOR` is set
              - always: Always
              - never:  Never
              
              [env: MULETRAIN_COLOR=]
              [default: auto]

      -v, --verbose...
              Say more (-vv: still more)

      -q, --quiet...
              Say less

          --log-format <LOG_FORMAT>
              How log lines are written

              Possible values:
              - text: For people
              - json: One JSON object a line
              
              [env: MULETRAIN_LOG_FORMAT=]
              [default: text]
    ");
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
