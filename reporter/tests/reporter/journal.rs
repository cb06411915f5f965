//! Journals made through the real types, for tests to read.

use std::collections::BTreeMap;

use muletrain_proto::event::{
    Booted, Closed, Database, Event, Finished, Planned, PodStarted, Ready, Warming,
};
use muletrain_proto::id::{
    AgentId, AppLabel, ClassId, Epoch, LeaseId, LeaseKey, RunId, SuiteName, TestId,
};
use muletrain_proto::inventory::{Class, Inventory, Test};
use muletrain_proto::journal::{Entry, Header, Record, line};
use muletrain_proto::lease::{Lease, Place, Work};
use muletrain_proto::outcome::{Ending, Failure, FailureKind, Output};
use muletrain_proto::run::{Options, Stop};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::Snapshot;
use muletrain_proto::verdict::Verdict;
use muletrain_reporter::pure::fold::Fold;
use muletrain_reporter::pure::summary::Summary;

/// A journal in the making, with its clock.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) entries: Vec<Entry>,
    now: u64,
    sequences: BTreeMap<u32, u64>,
}

impl Journal {
    /// A run of a snapshot, just accepted.
    pub(crate) fn opened() -> Self {
        Self::asked(Options::default())
    }

    /// The same, with what was asked of it.
    pub(crate) fn asked(options: Options) -> Self {
        let mut journal =
            Self { entries: Vec::new(), now: 1_767_268_800_000, sequences: BTreeMap::new() };
        let snapshot = Box::new(snapshot());
        journal.record(Record::Opened { snapshot, options: Box::new(options) });
        journal
    }

    pub(crate) fn after(&mut self, milliseconds: u64) -> &mut Self {
        self.now += milliseconds;
        self
    }

    pub(crate) fn record(&mut self, record: Record) -> &mut Self {
        let number = self.entries.len() as u64 + 1;
        self.entries.push(Entry { number, at: self.now, record });
        self
    }

    pub(crate) fn inventory(&mut self, inventory: Inventory) -> &mut Self {
        self.record(Record::Inventory {
            inventory,
            deselected: 0,
            remembered: false,
            suite: SuiteName::default(),
            notes: vec![],
            unmatched: vec![],
        })
    }

    pub(crate) fn lease(&mut self, lease: u32, app: &str, agent: &str) -> &mut Self {
        let work = Work::Run { app: self::app(app), labels: vec![app.to_owned()], tests: None };
        self.leased(lease, work, agent)
    }

    pub(crate) fn leased(&mut self, lease: u32, work: Work, agent: &str) -> &mut Self {
        let key = LeaseKey { run: run(), lease: LeaseId(lease), epoch: Epoch(lease.into()) };
        self.record(Record::Leased {
            lease: Lease {
                key,
                work,
                checks: lease == 1,
                suite: SuiteName::default(),
                without: Vec::new(),
                time_left: None,
            },
            grant: None,
            place: Place { agent: AgentId::new(agent).unwrap(), slot: 0 },
        })
    }

    pub(crate) fn event(&mut self, lease: u32, event: Event) -> &mut Self {
        let sequence = self.sequences.entry(lease).or_default();
        *sequence += 1;
        let sequence = *sequence;
        self.record(Record::Observed { lease: LeaseId(lease), sequence, event })
    }

    /// A pod comes up, far enough for its first test.
    pub(crate) fn up(&mut self, lease: u32, inventory: Inventory) -> &mut Self {
        let ready = Event::Ready(databases(&[false], 2.0));
        self.up_to_databases(lease, inventory).after(2000).event(lease, ready)
    }

    /// The same, with databases that were kept.
    pub(crate) fn up_kept(&mut self, lease: u32, inventory: Inventory) -> &mut Self {
        let ready = Event::Ready(databases(&[true], 0.125));
        self.up_to_databases(lease, inventory).after(125).event(lease, ready)
    }

    pub(crate) fn warming(&mut self, lease: u32, warming: Warming) -> &mut Self {
        self.event(lease, Event::Warming(warming))
    }

    fn up_to_databases(&mut self, lease: u32, inventory: Inventory) -> &mut Self {
        let pod = PodStarted { pod: format!("pod-{lease}"), seconds: seconds(0.25), reused: false };
        self.after(250).event(lease, Event::PodStarted(pod));
        let booted = Booted {
            python: "3.12.1".to_owned(),
            django: "5.2".to_owned(),
            runner: "django.test.runner.DiscoverRunner".to_owned(),
            seconds: seconds(1.5),
        };
        self.after(1500).event(lease, Event::Booted(booted));
        let planned = Planned { inventory, missing: Vec::new(), seconds: seconds(0.125) };
        self.after(125).event(lease, Event::Planned(planned))
    }

    pub(crate) fn start(&mut self, lease: u32, test: &str) -> &mut Self {
        self.event(lease, Event::Started { test: self::test(test), r#try: 1 })
    }

    /// A test runs through.
    pub(crate) fn run(&mut self, lease: u32, finished: Finished) -> &mut Self {
        let (test, r#try) = (finished.test.clone(), finished.r#try);
        let milliseconds = finished.seconds.duration().as_millis();
        self.event(lease, Event::Started { test, r#try });
        self.after(u64::try_from(milliseconds).unwrap()).event(lease, Event::Finished(finished))
    }

    pub(crate) fn end(&mut self, lease: u32, ending: Ending) -> &mut Self {
        if ending == Ending::Closed {
            let closed = Closed { tests: 0, peak_kib: Some(80_000) };
            self.after(100).event(lease, Event::Closed(closed));
        }
        self.after(50).event(lease, Event::Ended(ending))
    }

    pub(crate) fn stop(&mut self, stop: Stop) -> &mut Self {
        self.record(Record::Stopping { stop })
    }

    pub(crate) fn close(&mut self) -> &mut Self {
        self.after(10).record(Record::Closed)
    }

    /// The file.
    pub(crate) fn text(&self) -> String {
        let entries = self.entries.iter().map(line);
        std::iter::once(line(&Header::new(run()))).chain(entries).collect()
    }

    pub(crate) fn summary(&self) -> Summary {
        fold(&self.entries).finish()
    }
}

pub(crate) fn fold(entries: &[Entry]) -> Fold {
    let mut fold = Fold::default();
    fold.header(Header::new(run()));
    for entry in entries {
        fold.apply(entry);
    }
    fold
}

/// What a pod says of its databases, each of which was kept or not.
pub(crate) fn databases(warm: &[bool], time: f64) -> Ready {
    let (alias, vendor) = ("default".to_owned(), "postgresql".to_owned());
    let database =
        |warm: &bool| Database { alias: alias.clone(), vendor: vendor.clone(), warm: *warm };
    let databases = warm.iter().map(database).collect();
    Ready { databases, seconds: seconds(time), output: Output::default() }
}

/// Classes of one app, with their methods.
pub(crate) fn classes(app: &str, classes: &[(&str, &[&str])]) -> Inventory {
    let class = |(name, methods): &(&str, &[&str])| {
        let module = name.rsplit_once('.').unwrap().0.to_owned();
        let tests = methods
            .iter()
            .map(|method| Test { id: test(&format!("{name}.{method}")), tags: Vec::new() });
        Class {
            id: ClassId::new(*name).unwrap(),
            app: self::app(app),
            file: format!("{}.py", module.replace('.', "/")),
            module,
            line: Some(7),
            phase: 0,
            whole_module: false,
            tags: Vec::new(),
            databases: vec!["default".to_owned()],
            bases: vec!["django.test.testcases.TestCase".to_owned()],
            tests: tests.collect(),
        }
    };
    Inventory { classes: classes.iter().map(class).collect(), errors: Vec::new() }
}

pub(crate) fn passed(id: &str, time: f64) -> Finished {
    Finished {
        test: test(id),
        r#try: 1,
        verdict: Verdict::Passed,
        seconds: seconds(time),
        reason: None,
        failures: Vec::new(),
        output: Output::default(),
    }
}

pub(crate) fn failed(id: &str, time: f64, failures: Vec<Failure>) -> Finished {
    let error = failures.iter().any(|failure| failure.kind == FailureKind::Error);
    let verdict = if error { Verdict::Error } else { Verdict::Failed };
    Finished { verdict, failures, ..passed(id, time) }
}

pub(crate) fn failure(exception: &str, message: &str, place: &str) -> Failure {
    let kind = match exception {
        "AssertionError" => FailureKind::Failure,
        _ => FailureKind::Error,
    };
    let name = exception.rsplit('.').next().unwrap();
    let shown = if kind == FailureKind::Failure { name } else { exception };
    Failure {
        kind,
        exception: exception.to_owned(),
        message: message.to_owned(),
        traceback: format!(
            "Traceback (most recent call last):\n  File \"/app/{place}, in test\n    \
             self.check()\n{shown}: {message}\n"
        ),
        subtest: None,
    }
}

pub(crate) fn printed(text: &str) -> Output {
    Output { text: text.to_owned(), omitted: 0 }
}

pub(crate) fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

pub(crate) fn test(id: &str) -> TestId {
    TestId::new(id).unwrap()
}

pub(crate) fn app(label: &str) -> AppLabel {
    AppLabel::new(label).unwrap()
}

pub(crate) fn run() -> RunId {
    RunId::new("20260101-120000-k3f9").unwrap()
}

fn snapshot() -> Snapshot {
    serde_json::from_value(serde_json::json!({
        "version": 1,
        "id": "b5a2c96250612366",
        "name": "site",
        "revision": {"commit": "0f3a9c1e", "branch": "main", "dirty": false},
        "content": {"runtime": "process", "root": "/srv/site"},
        "python": "python3",
        "project": {"manage": "manage.py"},
        "apps": [],
    }))
    .unwrap()
}
