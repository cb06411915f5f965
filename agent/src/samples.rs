//! Values that unit tests start from.

use muletrain_proto::id::{
    AgentId, AppLabel, BootId, Epoch, LeaseId, LeaseKey, RunId, SnapshotId, SuiteName, TestId,
};
use muletrain_proto::lease::{Lease, Work};
use muletrain_proto::link::{Hello, RunBrief, Runtime};
use muletrain_proto::run::{Options, Secrets};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::{Content, Environment, Snapshot, VERSION};
use muletrain_proto::suite::{Adapter, Suite};

use crate::pure::kept::{Database, Entry};
use crate::pure::pod::Owner;

pub(crate) fn owner() -> Owner {
    Owner { agent: AgentId::new("agent").unwrap(), boot: BootId::new("boot").unwrap() }
}

pub(crate) fn key(lease: u32) -> LeaseKey {
    LeaseKey { run: RunId::new("run").unwrap(), lease: LeaseId(lease), epoch: Epoch(1) }
}

pub(crate) fn test(id: &str) -> TestId {
    TestId::new(id).unwrap()
}

pub(crate) fn work() -> Work {
    let app = AppLabel::new("shop").unwrap();
    Work::Run { app, labels: vec!["shop".to_owned()], tests: None }
}

pub(crate) fn lease(number: u32) -> Lease {
    Lease {
        key: key(number),
        work: work(),
        checks: false,
        suite: SuiteName::default(),
        without: vec![],
        time_left: None,
    }
}

pub(crate) fn image() -> Content {
    Content::Docker {
        image: "sha256:0".to_owned(),
        platform: "linux/amd64".to_owned(),
        root: "/app".to_owned(),
        user: "1000:1000".to_owned(),
        base: None,
    }
}

pub(crate) fn brief(content: Content) -> RunBrief {
    let snapshot = Snapshot {
        version: VERSION,
        id: SnapshotId::new("snapshot").unwrap(),
        name: "sample".to_owned(),
        revision: None,
        content,
        python: "python3".to_owned(),
        suites: vec![Suite::new(
            SuiteName::default(),
            Adapter::Django { manage: None, settings: None },
        )],
        environment: Environment::default(),
        services: vec![],
        apps: vec![],
        notes: vec![],
    };
    let run = RunId::new("run").unwrap();
    RunBrief { run, snapshot, options: Options::default(), secrets: Secrets::default() }
}

pub(crate) fn place() -> crate::pure::kept::Place {
    let [platform, engine] = ["linux/amd64", "engine"].map(str::to_owned);
    crate::pure::kept::Place { platform, engine: Some(engine) }
}

/// Databases whose set-up took this many seconds.
pub(crate) fn kept(seconds: f64) -> Entry {
    let seconds = Seconds::new(seconds).unwrap();
    let text = str::to_owned;
    let (alias, vendor, name, tables) = (text("default"), text("sqlite"), text("test"), text("5f"));
    let data = Some(text("eJw="));
    Entry {
        version: crate::pure::kept::VERSION,
        manifest: serde_json::json!({"version": 1}),
        databases: vec![Database { alias, vendor, name, tables, data, seconds }],
        seconds,
        images: std::collections::BTreeMap::new(),
    }
}

pub(crate) fn hello(slots: u32) -> Hello {
    let Owner { agent, boot } = owner();
    Hello {
        agent,
        boot,
        host: "host".to_owned(),
        version: "0".to_owned(),
        slots,
        runtime: Runtime::Docker,
        platform: "linux/amd64".to_owned(),
        labels: std::collections::BTreeMap::new(),
        leases: vec![],
    }
}
