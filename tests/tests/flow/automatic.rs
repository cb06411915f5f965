//! Without a choice of runtime: containers where an engine answers, else processes, and why.

use muletrain_proto::journal::Record;
use muletrain_proto::snapshot::Content;
use muletrain_tests::engine::prepare;
use muletrain_tests::flow::Flow;

fn passing() -> Flow {
    let tests = "from django.test import SimpleTestCase\n\n\n\
                 class AppTest(SimpleTestCase):\n    def test_passes(self):\n        pass\n";
    Flow::small(&[("app/tests.py", tests)])
}

/// What the newest run's tests ran in.
fn content(flow: &Flow) -> Content {
    let journal = flow.journal().expect("a run leaves its journal");
    let opened = journal.records.into_iter().find_map(|record| match record {
        Record::Opened { snapshot, .. } => Some(snapshot.content),
        _ => None,
    });
    opened.expect("a journal begins with what was asked for")
}

#[test]
fn with_an_engine_tests_run_in_containers() {
    prepare();
    let flow = passing();
    flow.run("auto", &[]).end().expect(0);
    assert!(matches!(content(&flow), Content::Docker { .. }));
}

#[test]
fn without_an_engine_tests_run_in_processes() {
    let flow = passing();
    let mut command = flow.run_command("auto", &[]);
    let ended = flow.start(command.env("DOCKER_HOST", "unix:///nowhere/docker.sock")).end();
    ended.expect(0);
    assert!(matches!(content(&flow), Content::Process { .. }));
    let why = "tests run as processes of this host: no Docker Engine answers at \
               unix:///nowhere/docker.sock";
    assert!(ended.stderr.contains(why), "{}", ended.stderr);
}
