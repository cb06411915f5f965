//! What is around the tests: shell commands, files taken out of pods, warnings, coverage.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use muletrain_proto::coverage::Combined;
use muletrain_proto::event::Event;
use muletrain_proto::hook::Hook;
use muletrain_proto::journal::Record;
use muletrain_proto::snapshot::{Content, Snapshot};
use muletrain_tests::fleet::Fleet;
use muletrain_tests::flow::{Flow, stored_runs};
use muletrain_tests::journal::Journal;
use muletrain_tests::program::{binary, output};
use muletrain_tests::project::write;
use rustix::process::Signal;
use serde_json::Value;

use crate::patient;

/// How long cleaning up may take that begins before the end of a run.
const SOON: Duration = Duration::from_secs(10);

in_both_runtimes!(
    what_pods_leave_behind_is_in_the_runs_folder,
    a_setup_that_fails_is_red_and_nothing_runs,
    commands_at_the_end_are_run_after_an_interrupt,
    coverage_is_that_of_a_serial_run,
    coverage_without_its_package_is_an_error_that_says_so,
);

const HEAD: &str = "\
[image]
base = 'muletrain-test-base:bookworm'
install = ['pip install -r requirements.txt']
";

const AROUND: &str = "
[run]
artifacts = ['shots/**', '*.log']
artifact_limit = '1k'
[hooks]
run_setup = ['echo begun > hooks.txt']
run_teardown = ['echo $BUILD_ID >> hooks.txt; exit 4']
pod_setup = ['echo in $BUILD_ID > $WORKSPACE/setup.log']
app_setup = ['test -e $WORKSPACE/setup.log && mkdir shots']
app_teardown = ['echo bye $APP']
";

const SHOTS: &str = "
import os
import pathlib

from django.test import SimpleTestCase


class ShotTest(SimpleTestCase):
    def test_a_leaves_a_file(self):
        pathlib.Path('shots/a.png').write_bytes(b'x' * 3000)
        os.symlink('/etc/passwd', 'shots/b.png')

    def test_b_dies(self):
        pathlib.Path('last.log').write_text('words')
        os.abort()
";

const OTHER: &str = "
import pathlib
import warnings

from django.test import SimpleTestCase


class ShotTest(SimpleTestCase):
    def test_leaves_a_file_of_the_same_name(self):
        pathlib.Path('shots/a.png').write_bytes(b'y')
        warnings.warn('an old thing')
";

fn what_pods_leave_behind_is_in_the_runs_folder(runtime: &str) {
    let configuration = format!("{HEAD}{AROUND}");
    let flow = Flow::small(&[
        ("muletrain.toml", &configuration),
        ("app/tests.py", SHOTS),
        ("other/tests.py", OTHER),
    ]);
    let ended = flow.run(runtime, &[]).end();
    ended.expect(1);
    let folder = flow.runs().pop().expect("a run leaves its folder");
    let read = |path: &str| fs::read_to_string(folder.join("artifacts").join(path));
    assert_eq!(read("app/shots/a.png").unwrap(), "x".repeat(1024));
    assert_eq!(read("app/last.log").unwrap(), "words", "also of a pod whose process died");
    assert_eq!(read("other/shots/a.png").unwrap(), "y");
    assert!(read("app/shots/b.png").is_err(), "links are not followed");
    let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    assert_eq!(read("app/setup.log").unwrap(), format!("in {id}\n"));
    let hooks = fs::read_to_string(flow.project.join("hooks.txt")).unwrap();
    assert_eq!(hooks, format!("begun\n{id}\n"));
    for wanted in [
        "artifacts/app/shots/a.png  2 KiB, the last 1 KiB cut off",
        "other/tests.py:11: UserWarning: an old thing",
        "CommandFailed: `echo $BUILD_ID >> hooks.txt; exit 4` ended with exit status 4",
        "CRASHED app.tests.ShotTest.test_b_dies",
    ] {
        assert!(ended.stdout.contains(wanted), "not {wanted}: {}", ended.stdout);
    }
    assert!(hooks_of(&flow).contains(&("app teardown".to_owned(), "bye other\n".to_owned())));
    let mut again = flow.command("muletrain-reporter");
    let again = flow.start(again.arg("report").arg(&folder)).end();
    again.expect(1);
    assert!(again.stdout.contains("artifacts/app/last.log  5 bytes"), "{}", again.stdout);
    flow.is_left_clean(SOON);
}

fn hooks_of(flow: &Flow) -> Vec<(String, String)> {
    let journal = flow.journal().expect("a run leaves its journal");
    let told = |hook: &Hook| (hook.name(), hook.output.text.clone());
    let hooks = journal.events().filter_map(|(_, event)| match event {
        Event::Hook(hook) => Some(told(hook)),
        _ => None,
    });
    hooks.collect()
}

fn a_setup_that_fails_is_red_and_nothing_runs(runtime: &str) {
    for (key, said) in [("run_setup", "(run setup)"), ("pod_setup", "pod setup)")] {
        let hooks = format!(
            "[hooks]\n{key} = ['echo no licence; exit 3']\nrun_teardown = ['touch torn-down']\n"
        );
        let tests = ("app/tests.py", OTHER);
        let flow = Flow::small(&[("muletrain.toml", &format!("{HEAD}{hooks}")), tests]);
        let ended = flow.run(runtime, &[]).end();
        ended.expect(1);
        for wanted in [said, "ended with exit status 3", "no licence", "Stopped: a setup command"] {
            assert!(ended.stdout.contains(wanted), "not {wanted}: {}", ended.stdout);
        }
        let begins = |event: &Event| matches!(event, Event::Started { .. });
        let journal = flow.journal().expect("a run leaves its journal");
        assert!(!journal.events().any(|(_, event)| begins(event)));
        assert!(flow.project.join("torn-down").exists());
    }
}

fn commands_at_the_end_are_run_after_an_interrupt(runtime: &str) {
    let hooks = "[hooks]\npod_teardown = ['echo pod']\nrun_teardown = ['touch torn-down']\n";
    let configuration = format!("{HEAD}{hooks}");
    let files = [("muletrain.toml", configuration.as_str()), ("app/tests.py", patient::TESTS)];
    let flow = Flow::small(&files);
    let mut run = flow.run(runtime, &[]);
    run.until("a test that waits", |_| flow.journal().filter(patient::waits));
    run.signal(Signal::INT);
    run.end_within(Duration::from_secs(20)).expect(130);
    assert!(hooks_of(&flow).contains(&("pod teardown".to_owned(), "pod\n".to_owned())));
    assert!(flow.project.join("torn-down").exists());
    flow.is_left_clean(SOON);
}

/// The programs once more, but for one.
fn without(flow: &Flow, missing: &str) -> Command {
    let folder = flow.path("programs");
    fs::create_dir(&folder).unwrap();
    let all = ["scheduler", "builder", "agent", "reporter"].map(|name| format!("muletrain-{name}"));
    for name in all.iter().filter(|name| *name != missing) {
        let (from, to) = (binary(name), folder.join(name));
        fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop)).unwrap();
    }
    flow.command_of(&folder.join("muletrain-scheduler"))
}

/// A project whose first and last commands leave their traces.
fn traced() -> Flow {
    let hooks = "[hooks]\nrun_setup = ['echo begun > hooks.txt']\n\
                 run_teardown = ['echo $BUILD_ID >> hooks.txt']\n";
    let configuration = format!("{HEAD}{hooks}");
    Flow::small(&[("muletrain.toml", configuration.as_str()), ("app/tests.py", patient::TESTS)])
}

/// What the commands of [`traced`] left, with the name of the newest run of a folder.
#[track_caller]
fn are_run_once(flow: &Flow, runs: &Path) {
    let folder = stored_runs(runs).pop().expect("the run was accepted");
    let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let hooks = fs::read_to_string(flow.project.join("hooks.txt")).unwrap();
    assert_eq!(hooks, format!("begun\n{id}\n"));
}

#[test]
fn commands_at_the_end_are_run_where_nobody_reports() {
    for missing in ["muletrain-reporter", "muletrain-agent"] {
        let flow = traced();
        let mut command = without(&flow, missing);
        command.arg("run").arg(&flow.project).args(["--runtime", "process"]);
        let ended = flow.start(&mut command).end();
        ended.expect(4);
        assert!(ended.stderr.contains(missing), "{}", ended.stderr);
        are_run_once(&flow, &flow.project.join(".muletrain/runs"));
        flow.is_left_clean(SOON);
    }
}

#[test]
fn commands_at_the_end_are_run_where_nobody_reports_from_a_fleet() {
    let fleet = Fleet::of_processes(traced(), 1);
    let mut command = without(&fleet.flow, "muletrain-reporter");
    command.arg("submit").arg(&fleet.flow.project).args(["--runtime", "process", "--scheduler"]);
    command.arg(format!("unix:{}", fleet.flow.path("scheduler.sock").display()));
    let ended = fleet.flow.start(&mut command).end();
    ended.expect(4);
    let runs = fleet.flow.path("served/runs");
    are_run_once(&fleet.flow, &runs);
    let journal = Journal::read(&stored_runs(&runs)[0]).expect("the scheduler keeps it");
    assert!(journal.is_closed(), "nothing goes on: {}", journal.text);
    fleet.stop();
}

fn coverage_is_that_of_a_serial_run(runtime: &str) {
    let flow = Flow::sample("site");
    let requirements = fs::read_to_string(flow.project.join("requirements.txt")).unwrap();
    write(&flow.project, "requirements.txt", &format!("{requirements}coverage==7.17.3\n"));
    // One module of the sample is no Python.
    let configuration = "[run]\nbranch = true\nsource = .\n[report]\nignore_errors = true\n";
    write(&flow.project, ".coveragerc", configuration);
    let ended = flow.run(runtime, &["--coverage"]).end();
    ended.expect(1);
    let journal = flow.journal().expect("a run leaves its journal");
    let combined = combined(&journal);
    let totals = serial_totals(&flow, snapshot(&journal));
    let number = |name: &str| totals[name].as_u64();
    assert!(combined.statements > 1000 && combined.missing > 0);
    assert_eq!(Some(combined.statements), number("num_statements"));
    assert_eq!(Some(combined.missing), number("missing_lines"));
    assert_eq!(Some(combined.branches), number("num_branches"));
    assert_eq!(Some(combined.missing_branches), number("missing_branches"));
    let folder = flow.runs().pop().expect("a run leaves its folder");
    let report = fs::read_to_string(folder.join("coverage.xml")).unwrap();
    assert!(report.contains("filename=\"search/index.py\""), "{report}");
    assert!(folder.join("coverage-html/index.html").exists());
    assert!(ended.stdout.contains(&format!("Coverage: {} %", combined.percent)));
}

fn combined(journal: &Journal) -> Combined {
    let found = journal.events().find_map(|(_, event)| match event {
        Event::Combined(combined) => Some(combined.clone()),
        _ => None,
    });
    found.expect("coverage is combined")
}

/// What is tested in a run.
fn snapshot(journal: &Journal) -> &Snapshot {
    match journal.records.first() {
        Some(Record::Opened { snapshot, .. }) => snapshot,
        other => panic!("a journal begins with its run: {other:?}"),
    }
}

/// What the project's own package says of a run of `manage.py test`, where the snapshot's tests
/// run. Tests of the sample fail, so that run ends with 1.
fn serial_totals(flow: &Flow, snapshot: &Snapshot) -> Value {
    let python = &snapshot.python;
    let script = format!(
        "{python} -m coverage run manage.py test >&2; test $? = 1 && \
         {python} -m coverage json -q -o -"
    );
    let variables = ["SITE_SECRET_KEY=only-for-tests", "HOME=/tmp"];
    let text = match &snapshot.content {
        Content::Docker { image, root, user, .. } => {
            let mut command = Command::new("docker");
            command.args(["run", "--rm", "--network", "none", "--workdir", root, "--user", user]);
            for variable in variables.into_iter().chain(["COVERAGE_FILE=/tmp/serial"]) {
                command.args(["--env", variable]);
            }
            output(command.args([image, "sh", "-c", &script]))
        }
        Content::Process { .. } => {
            let mut command = Command::new("env");
            command.current_dir(&flow.project).args(variables);
            command.arg(format!("COVERAGE_FILE={}", flow.path("serial").display()));
            output(command.args(["sh", "-c", &script]))
        }
    };
    let totals: Value = serde_json::from_str(&text).expect("the package writes JSON");
    totals["totals"].clone()
}

fn coverage_without_its_package_is_an_error_that_says_so(runtime: &str) {
    let flow = Flow::small(&[("app/tests.py", OTHER)]);
    let ended = flow.run(runtime, &["--coverage"]).end();
    ended.expect(1);
    let wanted = "there is no package `coverage` beside the project";
    assert!(ended.stdout.contains(wanted), "{}", ended.stdout);
}
