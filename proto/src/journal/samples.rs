//! One of everything a journal can hold.

use super::{Record, Unmatched};
use crate::artifact::{Artifact, Kind, Name};
use crate::blob::Digest;
use crate::coverage::{Combined, Part};
use crate::event::{
    Booted, ClassTimes, Closed, Collected, Database, Event, Failed, Finished, Fixture, Found,
    LimitOf, Phase, Planned, PodStarted, Ready, TimedOut, Warming, Warning, Warnings,
};
use crate::hook::{Hook, Scope, Stage};
use crate::id::{
    AgentId, AppLabel, BootId, ClassId, Epoch, LeaseId, LeaseKey, RunId, SnapshotId, SuiteName,
    TestId,
};
use crate::inventory::{Class, Inventory, LoadError, Test};
use crate::lease::{Grant, GrantedTest, Lease, Place, Work};
use crate::link::{Hello, Runtime};
use crate::outcome::{Death, Ending, Failure, FailureKind, Output};
use crate::plan::{AppEstimate, ClassEstimate, Estimates, Plan, PlannedApp};
use crate::run::Stop;
use crate::seconds::Seconds;
use crate::snapshot::{App, Content, Environment, Revision, Snapshot};
use crate::suite::{Adapter, Suite};
use crate::verdict::Verdict;

/// One record of every kind, and of every way to stop.
pub(super) fn records() -> Vec<Record> {
    let mut records = vec![
        Record::Opened { snapshot: Box::new(snapshot()), options: Box::default() },
        Record::Planned {
            plan: Plan {
                apps: vec![PlannedApp {
                    app: app(),
                    estimate: Some(seconds(1.5)),
                    longest: Some(seconds(0.75)),
                    test_files: 3,
                    reason: "longest".to_owned(),
                }],
                slots: 2,
                lower_bound: seconds(1.5),
            },
        },
        Record::Estimated {
            estimates: Estimates {
                apps: [(app(), AppEstimate { setup: seconds(0.5), work: seconds(1.0) })].into(),
                classes: [(
                    class(),
                    ClassEstimate { app: app(), tests: 4, per_test: seconds(0.25) },
                )]
                .into(),
            },
        },
        Record::AgentJoined { agent: hello() },
        Record::AgentLeft { agent: agent(), lost: true, reason: "stream broke".to_owned() },
        Record::Leased {
            lease: Lease {
                key: key(),
                work: Work::Run { app: app(), labels: vec!["shop".to_owned()], tests: None },
                checks: true,
                suite: SuiteName::default(),
                without: vec!["browser".to_owned()],
                time_left: Some(seconds(90.0)),
            },
            grant: Some(Grant {
                number: 1,
                tests: Some(vec![GrantedTest { id: test(), r#try: 2 }]),
                last: true,
                ordered: true,
            }),
            place: Place { agent: agent(), slot: 0 },
        },
        Record::Leased {
            lease: Lease {
                key: key(),
                work: Work::Collect { labels: vec![] },
                checks: false,
                suite: frontend(),
                without: vec![],
                time_left: None,
            },
            grant: None,
            place: Place { agent: agent(), slot: 1 },
        },
        Record::Leased {
            lease: Lease {
                key: key(),
                work: Work::Combine {
                    parts: vec![Part {
                        name: Name::new("shop/.coverage.1").unwrap(),
                        digest: Digest::of(b"data"),
                    }],
                },
                checks: false,
                suite: SuiteName::default(),
                without: vec![],
                time_left: None,
            },
            grant: None,
            place: Place { agent: agent(), slot: 1 },
        },
        Record::Granted {
            lease: LeaseId(1),
            grant: Grant { number: 2, tests: None, last: false, ordered: false },
        },
        Record::LeaseLost { lease: LeaseId(1), reason: "the agent is gone".to_owned() },
        Record::Inventory {
            inventory: inventory(),
            deselected: 4,
            remembered: false,
            suite: frontend(),
            notes: vec!["no test has the tag \"slwo\"".to_owned()],
            unmatched: vec![Unmatched {
                argument: "--tag".to_owned(),
                value: "slwo".to_owned(),
                what: "no test has the tag \"slwo\"".to_owned(),
                near: vec!["slow".to_owned()],
            }],
        },
        Record::Settled {
            test: test(),
            r#try: 1,
            verdict: Verdict::NotRun,
            reason: "setUpClass failed".to_owned(),
            lease: Some(LeaseId(1)),
            lost: false,
        },
    ];
    let stops = [
        Stop::Interrupted,
        Stop::FailureLimit { failures: 1 },
        Stop::Timeout { limit: seconds(60.0) },
        Stop::CannotBoot,
        Stop::SetupFailed { reason: "`make` ended with exit status 2".to_owned() },
        Stop::Infrastructure { reason: "no agent".to_owned() },
        Stop::NothingSelected { reason: "no test has the tag slow".to_owned() },
    ];
    records.extend(stops.map(|stop| Record::Stopping { stop }));
    records.push(Record::TearingDown);
    records.push(Record::TornDown { hook: hook() });
    records.push(Record::Closed);
    records
}

/// One event of every kind, and every way for a pod to end.
pub(super) fn events() -> Vec<Event> {
    let seconds = seconds(0.25);
    let mut events = vec![
        Event::Warming(Warming::Begun),
        Event::Warming(Warming::Found),
        Event::Warming(Warming::Made { seconds }),
        Event::Warming(Warming::Failed { reason: "a migration failed".to_owned() }),
        Event::PodStarted(PodStarted { pod: "3f9a".to_owned(), seconds, reused: false }),
        Event::PodStarted(PodStarted { pod: "3f9a".to_owned(), seconds, reused: true }),
        Event::Booted(Booted {
            python: "3.12.4".to_owned(),
            django: "5.2".to_owned(),
            runner: "django.test.runner.DiscoverRunner".to_owned(),
            seconds,
        }),
        Event::Collected(Collected { inventory: inventory(), seconds }),
        Event::Planned(Planned { inventory: inventory(), missing: vec![test()], seconds }),
        Event::Ready(Ready {
            databases: vec![database("default", false), database("search", true)],
            seconds,
            output: output(),
        }),
        Event::Found(Found { inventory: inventory() }),
        Event::Started { test: test(), r#try: 1 },
        Event::Finished(Finished {
            test: test(),
            r#try: 1,
            verdict: Verdict::Passed,
            seconds,
            reason: None,
            failures: vec![],
            output: Output::default(),
        }),
        Event::Finished(Finished {
            test: test(),
            r#try: 2,
            verdict: Verdict::Skipped,
            seconds,
            reason: Some("no browser".to_owned()),
            failures: failures(),
            output: output(),
        }),
        Event::Fixture(Fixture {
            id: TestId::new("setUpClass (shop.tests.CartTest)").unwrap(),
            class: Some(class()),
            verdict: Verdict::Error,
            failures: failures(),
            output: output(),
            tests: vec![test()],
        }),
        Event::Class(ClassTimes {
            class: class(),
            setup_seconds: seconds,
            teardown_seconds: seconds,
            output: output(),
            peak_kib: Some(80_000),
        }),
        Event::Done { grant: 1 },
        Event::Failed(Failed { phase: Phase::Boot, failures: failures(), output: output() }),
        Event::TimedOut(TimedOut {
            test: test(),
            r#try: 1,
            seconds,
            stacks: "Thread 1".to_owned(),
            output: output(),
            limit_of: LimitOf::Test,
            tests: vec![],
        }),
        Event::TimedOut(TimedOut {
            test: test(),
            r#try: 1,
            seconds,
            stacks: "Thread 1".to_owned(),
            output: output(),
            limit_of: LimitOf::Class,
            tests: vec![test()],
        }),
        Event::TimedOut(TimedOut {
            test: test(),
            r#try: 1,
            seconds,
            stacks: "Thread 1".to_owned(),
            output: output(),
            limit_of: LimitOf::Run,
            tests: vec![],
        }),
        Event::Artifact(Artifact {
            name: Name::new("logs/shop.log").unwrap(),
            kind: Kind::File,
            size: 80,
            digest: Some(Digest::of(b"log")),
            omitted: 77,
            lost: None,
        }),
        Event::Artifact(Artifact {
            name: Name::new(".coverage.host.1").unwrap(),
            kind: Kind::Coverage,
            size: 0,
            digest: None,
            omitted: 0,
            lost: Some("it is empty".to_owned()),
        }),
        Event::Hook(hook()),
        Event::Warnings(Warnings {
            warnings: vec![Warning {
                category: "DeprecationWarning".to_owned(),
                message: "use another".to_owned(),
                file: "shop/models.py".to_owned(),
                line: 3,
                count: 2,
            }],
            omitted: 1,
        }),
        Event::Combined(Combined {
            files: 2,
            statements: 100,
            missing: 7,
            branches: 20,
            missing_branches: 3,
            percent: "92".to_owned(),
            demanded: Some("95".to_owned()),
            notes: vec!["no source for /x.py".to_owned()],
            seconds,
        }),
        Event::Closed(Closed { tests: 1, peak_kib: Some(81_000) }),
    ];
    let endings = [
        Ending::Closed,
        Ending::Failed,
        Ending::TimedOut,
        Ending::Crashed(Death {
            running: Some(test()),
            status: None,
            signal: Some(9),
            memory_limit: Some(2 << 30),
            reason: "ran out of memory".to_owned(),
            output: output(),
            stderr: "Fatal Python error".to_owned(),
        }),
        Ending::Infrastructure { reason: "the engine went away".to_owned() },
        Ending::Revoked,
    ];
    events.extend(endings.map(Event::Ended));
    events
}

fn hook() -> Hook {
    Hook {
        scope: Scope::App,
        stage: Stage::Teardown,
        command: "make clean".to_owned(),
        seconds: seconds(0.25),
        status: Some(2),
        signal: None,
        timed_out: false,
        output: output(),
    }
}

fn database(alias: &str, warm: bool) -> Database {
    Database { alias: alias.to_owned(), vendor: "sqlite".to_owned(), warm }
}

fn snapshot() -> Snapshot {
    Snapshot {
        version: crate::snapshot::VERSION,
        id: SnapshotId::new("sha256:ab12").unwrap(),
        name: "shop".to_owned(),
        revision: Some(Revision {
            commit: "c0ffee".to_owned(),
            branch: Some("main".to_owned()),
            dirty: false,
        }),
        content: Content::Process { root: "/srv/shop".to_owned() },
        python: "python3".to_owned(),
        suites: suites(),
        environment: Environment {
            set: [("CI".to_owned(), "1".to_owned())].into(),
            pass: vec!["STRIPE_TEST_KEY".to_owned()],
        },
        services: vec![],
        apps: vec![App {
            label: app(),
            module: "shop".to_owned(),
            path: "shop".to_owned(),
            test_files: vec!["shop/tests.py".to_owned()],
            suite: SuiteName::default(),
        }],
        notes: vec!["python3 is the one on the path".to_owned()],
    }
}

fn frontend() -> SuiteName {
    SuiteName::new("frontend").unwrap()
}

/// One of every kind.
fn suites() -> Vec<Suite> {
    let named = |name: &str, adapter| Suite::new(SuiteName::new(name).unwrap(), adapter);
    let arguments = |text: &str| vec![text.to_owned()];
    vec![
        named("django", Adapter::Django { manage: Some("manage.py".to_owned()), settings: None }),
        Suite {
            path: "api".to_owned(),
            environment: [("MODE".to_owned(), "test".to_owned())].into(),
            other: AppLabel::new("pytest:(other)").unwrap(),
            prefix: "pytest:".to_owned(),
            ..named(
                "pytest",
                Adapter::Pytest { settings: None, arguments: arguments("-x"), django: true },
            )
        },
        named("unittest", Adapter::Unittest { arguments: vec![] }),
        named(
            "frontend",
            Adapter::Command {
                command: "npx jest $TEST".to_owned(),
                list: None,
                junit: vec!["junit.xml".to_owned()],
            },
        ),
    ]
}

fn hello() -> Hello {
    Hello {
        agent: agent(),
        boot: BootId::new("b1").unwrap(),
        host: "mac".to_owned(),
        version: "0.1.0".to_owned(),
        slots: 2,
        runtime: Runtime::Process,
        platform: "linux/amd64".to_owned(),
        labels: [("zone".to_owned(), "a".to_owned())].into(),
        leases: vec![key()],
    }
}

fn inventory() -> Inventory {
    let class = Class {
        id: class(),
        app: app(),
        module: "shop.tests".to_owned(),
        file: "shop/tests.py".to_owned(),
        line: Some(12),
        phase: 0,
        whole_module: false,
        tags: vec!["slow".to_owned()],
        databases: vec!["default".to_owned()],
        bases: vec!["django.test.testcases.TestCase".to_owned()],
        tests: vec![Test { id: test(), tags: vec![] }],
    };
    let error = LoadError {
        id: TestId::new("unittest.loader._FailedTest.blog.tests").unwrap(),
        app: AppLabel::other(),
        failures: failures(),
    };
    Inventory { classes: vec![class], errors: vec![error] }
}

fn failures() -> Vec<Failure> {
    vec![Failure {
        kind: FailureKind::Failure,
        exception: "builtins.AssertionError".to_owned(),
        message: "1 != 2".to_owned(),
        traceback: "Traceback (most recent call last):\n".to_owned(),
        subtest: Some("(i=1)".to_owned()),
    }]
}

fn output() -> Output {
    Output { text: "printed\n".to_owned(), omitted: 10 }
}

fn key() -> LeaseKey {
    LeaseKey { run: RunId::new("r1").unwrap(), lease: LeaseId(1), epoch: Epoch(3) }
}

fn agent() -> AgentId {
    AgentId::new("mac").unwrap()
}

fn app() -> AppLabel {
    AppLabel::new("shop").unwrap()
}

fn class() -> ClassId {
    ClassId::new("shop.tests.CartTest").unwrap()
}

fn test() -> TestId {
    TestId::new("shop.tests.CartTest.test_total").unwrap()
}

fn seconds(number: f64) -> Seconds {
    Seconds::new(number).unwrap()
}
