//! Databases that are set up once and kept, with the real harness and pods as host processes.

mod support;

use std::path::Path;
use std::process::Command;

use muletrain_proto::event::{Event, Phase, Warming};
use muletrain_proto::id::SnapshotId;
use muletrain_proto::link::{RunBrief, ToAgent, ToScheduler};
use muletrain_proto::outcome::Ending;
use muletrain_proto::run::Secrets;
use rustix::process::Signal;
use support::agent::{Agent, processes_of};
use support::flow::{attached, warming};
use support::project::{migrating_project, process_brief, write_migration};
use support::scheduler::{Connection, Scheduler, key, verdicts};

/// Long enough for its result to be worth keeping.
const LONG: &str = "time.sleep(2.1)";

/// Never over by itself, with a process in the background that left its group and its session.
const ENDLESS: &str = "
subprocess.Popen(['sleep', '300'], start_new_session=True, stdout=subprocess.DEVNULL)
time.sleep(300)";

/// A run of the project as it is at the moment.
fn brief(project: &Path, snapshot: &str) -> RunBrief {
    let mut brief = process_brief(project, &["app"]);
    brief.snapshot.id = SnapshotId::new(snapshot).expect("a good id");
    brief
}

/// What a run of the app comes to, which has to be good.
async fn run(connection: &mut Connection, brief: &RunBrief) -> Vec<&'static str> {
    connection.lease_app(brief, 1, "app");
    let (events, ending) = connection.reports_until_ended().await;
    assert_eq!(ending, Ending::Closed);
    assert_eq!(verdicts(&events), "app.tests.T.test_has_what_was_migrated passed");
    assert_eq!(connection.said().await, ToScheduler::Credit(1));
    warming(&events)
}

#[tokio::test]
async fn databases_are_made_once_and_found_again_by_runs_and_agents_to_come() {
    let project = migrating_project(LONG);
    let mut scheduler = Scheduler::start();
    let (agent, mut connection) = attached(&mut scheduler, "process").await;
    let first = run(&mut connection, &brief(project.path(), "one")).await;
    assert_eq!(first, ["begun", "made", "pod started", "warm"]);
    let same = run(&mut connection, &brief(project.path(), "one")).await;
    assert_eq!(same, ["found", "pod started", "warm"]);
    std::fs::write(project.path().join("app/views.py"), "# has no part in it").unwrap();
    let state = agent.state.clone();
    drop((agent, connection));
    let arguments = ["--runtime", "process", "--slots", "2", "--id", "another"];
    let agent = Agent::start_in(&scheduler, state, &arguments);
    let (mut connection, _) = scheduler.welcome().await;
    let other = run(&mut connection, &brief(project.path(), "two")).await;
    assert_eq!(other, ["begun", "made", "pod started", "warm"], "a folder that was listed changed");
    std::fs::write(project.path().join("app/views.py"), "# nor has this").unwrap();
    let other = run(&mut connection, &brief(project.path(), "three")).await;
    assert_eq!(other, ["found", "pod started", "warm"]);
    assert_eq!((agent.kept(), agent.pod_folders()), (2, 0));
}

#[tokio::test]
async fn an_edited_migration_is_run_again() {
    let project = migrating_project(LONG);
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler, "process").await;
    run(&mut connection, &brief(project.path(), "one")).await;
    write_migration(project.path(), &format!("{LONG}  # edited"));
    let edited = run(&mut connection, &brief(project.path(), "two")).await;
    assert_eq!(edited, ["begun", "made", "pod started", "warm"]);
    write_migration(project.path(), LONG);
    let back = run(&mut connection, &brief(project.path(), "three")).await;
    assert_eq!(back, ["found", "pod started", "warm"], "the first are still kept");
}

#[tokio::test]
async fn leases_at_once_have_their_databases_made_once() {
    let outside = tempfile::tempdir().unwrap();
    let counter = outside.path().join("migrated");
    let count = format!("open({counter:?}, 'a').write('once ')");
    let project = migrating_project(&format!("{count}\n{LONG}"));
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler, "process").await;
    let brief = brief(project.path(), "one");
    connection.lease_app(&brief, 1, "app");
    connection.lease_app(&brief, 2, "app");
    let mut events = Vec::new();
    for _ in 0..2 {
        let (some, ending) = connection.reports_until_ended().await;
        assert_eq!(ending, Ending::Closed);
        events.extend(some);
    }
    let said = warming(&events);
    for word in ["begun", "made", "warm"] {
        assert_eq!(said.iter().filter(|said| **said == word).count(), 2, "{said:?}");
    }
    assert_eq!(std::fs::read_to_string(counter).unwrap(), "once ");
}

#[tokio::test]
async fn databases_that_take_no_time_are_not_worth_a_pod() {
    let project = migrating_project("pass");
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler, "process").await;
    let first = run(&mut connection, &brief(project.path(), "one")).await;
    assert_eq!(first, ["begun", "made", "pod started", "warm"], "who knows how long they take");
    let next = run(&mut connection, &brief(project.path(), "two")).await;
    assert_eq!(next, ["pod started", "fresh"]);
}

#[tokio::test]
async fn databases_that_come_to_take_long_are_made_once_that_is_seen() {
    let project = migrating_project("pass");
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler, "process").await;
    run(&mut connection, &brief(project.path(), "one")).await;
    write_migration(project.path(), "time.sleep(4.5)");
    let slow = run(&mut connection, &brief(project.path(), "two")).await;
    assert_eq!(slow, ["pod started", "fresh"]);
    let kept = run(&mut connection, &brief(project.path(), "two")).await;
    assert_eq!(kept, ["begun", "made", "pod started", "warm"]);
}

#[tokio::test]
async fn databases_too_large_to_be_kept_are_not_made_for_the_next_snapshot() {
    let large = "_.execute('CREATE TABLE large AS SELECT randomblob(52428800) AS it')";
    let project = migrating_project(large);
    let mut scheduler = Scheduler::start();
    let (agent, mut connection) = attached(&mut scheduler, "process").await;
    let first = run(&mut connection, &brief(project.path(), "one")).await;
    assert_eq!(first, ["begun", "failed", "pod started", "fresh"]);
    let next = run(&mut connection, &brief(project.path(), "two")).await;
    assert_eq!(next, ["pod started", "fresh"]);
    assert_eq!(agent.kept(), 0);
}

#[tokio::test]
async fn what_may_have_passed_is_tried_again() {
    use std::os::unix::fs::PermissionsExt;

    let project = migrating_project(LONG);
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler, "process").await;
    let mut brief = brief(project.path(), "one");
    let folder = tempfile::tempdir().unwrap();
    let python = folder.path().join("python");
    let script = format!("#!/bin/sh\nexec {} \"$@\"\n", brief.snapshot.python);
    brief.snapshot.python = python.display().to_string();
    connection.lease_app(&brief, 1, "app");
    let (events, ending) = connection.reports_until_ended().await;
    assert!(matches!(ending, Ending::Infrastructure { .. }), "{ending:?}");
    assert_eq!(warming(&events), ["begun", "failed"]);
    std::fs::write(&python, script).unwrap();
    std::fs::set_permissions(&python, PermissionsExt::from_mode(0o755)).unwrap();
    connection.said().await;
    assert_eq!(run(&mut connection, &brief).await, ["begun", "made", "pod started", "warm"]);
}

#[tokio::test]
async fn who_wants_fresh_databases_gets_them() {
    let project = migrating_project(LONG);
    let mut scheduler = Scheduler::start();
    let (agent, mut connection) = attached(&mut scheduler, "process").await;
    let mut brief = brief(project.path(), "one");
    brief.options.fresh_databases = true;
    assert_eq!(run(&mut connection, &brief).await, ["pod started", "fresh"]);
    assert_eq!(agent.kept(), 0);
}

#[tokio::test]
async fn a_migration_that_fails_is_reported_by_the_pod_itself() {
    let project = migrating_project("raise ValueError('not like this')");
    let mut scheduler = Scheduler::start();
    let (agent, mut connection) = attached(&mut scheduler, "process").await;
    let brief = brief(project.path(), "one");
    for (number, expected) in
        [(1, vec!["begun", "failed", "pod started"]), (2, vec!["failed", "pod started"])]
    {
        connection.lease_app(&brief, number, "app");
        let (events, ending) = connection.reports_until_ended().await;
        assert_eq!(ending, Ending::Failed);
        assert_eq!(warming(&events), expected, "what failed is not tried again");
        let reason = events.iter().find_map(|event| match event {
            Event::Warming(Warming::Failed { reason }) => Some(reason.as_str()),
            _ => None,
        });
        let said = "setting the databases up failed: ValueError: not like this";
        assert_eq!(reason, Some(said));
        let Some(Event::Failed(failed)) = events.last() else { panic!("{events:?}") };
        assert_eq!(failed.phase, Phase::Databases);
        assert!(failed.failures[0].traceback.contains("0001_initial.py"));
    }
    assert_eq!(agent.kept(), 0);
}

/// An agent whose lease waits for databases that are never made.
async fn waiting(scheduler: &mut Scheduler, project: &Path) -> (Agent, Connection, RunBrief) {
    let (agent, mut connection) = attached(scheduler, "process").await;
    let brief = brief(project, "one");
    connection.lease_app(&brief, 1, "app");
    connection.reports_until(|event| *event == Event::Warming(Warming::Begun)).await;
    let run = brief.run.as_str();
    support::eventually("the background process runs", || processes_of(run) == 3).await;
    (agent, connection, brief)
}

#[tokio::test]
async fn a_lease_that_is_revoked_meanwhile_leaves_nothing() {
    let project = migrating_project(ENDLESS);
    let mut scheduler = Scheduler::start();
    let (agent, mut connection, brief) = waiting(&mut scheduler, project.path()).await;
    let lease = key(&brief.run, 1);
    connection.send(ToAgent::Revoke { lease, reason: "test".to_owned() });
    assert_eq!(connection.report().await.event, Event::Ended(Ending::Revoked));
    assert_eq!(connection.said().await, ToScheduler::Credit(1));
    let left = || (processes_of(brief.run.as_str()), agent.pod_folders());
    support::eventually("the pod is gone", || left() == (0, 0)).await;
    assert_eq!(agent.kept(), 0);
}

#[tokio::test]
async fn an_agent_that_is_interrupted_or_killed_meanwhile_leaves_nothing() {
    for signal in [Signal::INT, Signal::KILL] {
        let project = migrating_project(ENDLESS);
        let mut scheduler = Scheduler::start();
        let (mut agent, connection, brief) = waiting(&mut scheduler, project.path()).await;
        agent.signal(signal);
        agent.exit().await;
        let left = || (processes_of(brief.run.as_str()), agent.pod_folders());
        support::eventually("the pod is gone", || left() == (0, 0)).await;
        drop(connection);
    }
}

#[tokio::test]
async fn another_lease_that_waits_keeps_the_pod_of_a_revoked_one() {
    let project = migrating_project(LONG);
    let mut scheduler = Scheduler::start();
    let (_agent, mut connection) = attached(&mut scheduler, "process").await;
    let brief = brief(project.path(), "one");
    let (first, _) =
        (connection.lease_app(&brief, 1, "app"), connection.lease_app(&brief, 2, "app"));
    connection.reports_until(|event| *event == Event::Warming(Warming::Begun)).await;
    connection.send(ToAgent::Revoke { lease: first, reason: "test".to_owned() });
    let (_, ending) = connection.reports_until_ended().await;
    assert_eq!(ending, Ending::Revoked);
    let (events, ending) = connection.reports_until_ended().await;
    assert_eq!(ending, Ending::Closed);
    let said = warming(&events);
    assert!(said.ends_with(&["made", "pod started", "warm"]), "{said:?}");
}

/// What `muletrain-agent warm` prints and exits with.
async fn warm(brief: &RunBrief, home: &Path) -> (Option<i32>, String, String) {
    let snapshot = tempfile::NamedTempFile::new().expect("a file for the snapshot");
    serde_json::to_writer(&snapshot, &brief.snapshot).expect("the file is written");
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_muletrain-agent"))
        .arg("warm")
        .env("XDG_STATE_HOME", home.join("state"))
        .env("MULETRAIN_CACHE", home.join("cache"))
        .env("API_KEY", "canary-7")
        .stdin(snapshot.reopen().expect("the file is there"))
        .output()
        .await
        .expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn databases_are_made_without_a_scheduler_and_found_by_an_agent() {
    // Not in one word, because the project's own files may be there.
    let project =
        migrating_project(&format!("assert os.environ['API_KEY'] == 'can' 'ary-7'\n{LONG}"));
    let mut scheduler = Scheduler::start();
    let (agent, mut connection) = attached(&mut scheduler, "process").await;
    let mut brief = brief(project.path(), "one");
    brief.snapshot.environment.pass.push("API_KEY".to_owned());
    for expected in ["made", "found"] {
        let (status, out, errors) = warm(&brief, agent.state.path()).await;
        assert_eq!(status, Some(0), "{errors}");
        let answer: serde_json::Value = serde_json::from_str(&out).unwrap();
        assert_eq!(answer["databases"], expected);
        assert!(answer["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{out}");
    }
    brief.secrets = Secrets([("API_KEY".to_owned(), "canary-7".to_owned())].into());
    assert_eq!(run(&mut connection, &brief).await, ["found", "pod started", "warm"]);
    let states = agent.state.path().join("state/muletrain/agents");
    let left = || std::fs::read_dir(&states).unwrap().count();
    support::eventually("nothing is left of what ran", || left() == 0).await;
    let found = Command::new("grep").args(["-r", "canary-7"]).arg(agent.state.path()).output();
    assert_eq!(found.unwrap().stdout, b"", "no secret is on the disk");
}

#[tokio::test]
async fn databases_that_cannot_be_made_are_shown_with_what_the_harness_says() {
    let project = migrating_project("print('on the way')\nraise ValueError('not like this')");
    let home = tempfile::tempdir().unwrap();
    let (status, out, errors) = warm(&brief(project.path(), "one"), home.path()).await;
    assert_eq!((status, out.as_str()), (Some(1), ""));
    let expected = "error: setting the databases up failed: ValueError: not like this\nTraceback";
    assert!(errors.starts_with(expected), "{errors}");
    assert!(errors.contains("0001_initial.py") && errors.contains("on the way"), "{errors}");
}

#[tokio::test]
async fn a_host_that_cannot_make_them_is_told_apart() {
    let project = migrating_project("pass");
    let home = tempfile::tempdir().unwrap();
    let mut brief = brief(project.path(), "one");
    brief.snapshot.python = "/nowhere/python".to_owned();
    let (status, _, errors) = warm(&brief, home.path()).await;
    assert_eq!(status, Some(4));
    assert!(errors.contains("failed to start /nowhere/python"), "{errors}");
}
