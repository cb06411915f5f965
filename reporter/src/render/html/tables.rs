//! What tests have in common, each once: runs, apps, classes, agents, and leases with the stages of
//! their pods.

use std::collections::HashMap;

use muletrain_proto::id::LeaseId;
use serde_json::{Value, json};

use super::columns::{UNKNOWN, number};
use crate::pure::lease::{LeaseState, Stage};
use crate::pure::summary::Summary;

/// The tables, with places of the summaries' own as they became places in these.
pub(super) struct Tables {
    pub(super) runs: Vec<Value>,
    pub(super) apps: Vec<String>,
    /// Id, app, file, line.
    pub(super) classes: Vec<Value>,
    pub(super) agents: Vec<String>,
    /// Run, agent, slot, name, begin, end, stages, peak memory.
    pub(super) leases: Vec<Value>,
    /// Ids of classes, as [`Self::classes`].
    pub(super) class_ids: Vec<String>,
    first_test: Vec<usize>,
    first_class: Vec<usize>,
    by_lease: Vec<HashMap<LeaseId, u32>>,
}

impl Tables {
    pub(super) fn new(summaries: &[&Summary]) -> Self {
        let mut tables = Self {
            runs: Vec::new(),
            apps: Vec::new(),
            classes: Vec::new(),
            agents: Vec::new(),
            leases: Vec::new(),
            class_ids: Vec::new(),
            first_test: Vec::new(),
            first_class: Vec::new(),
            by_lease: Vec::new(),
        };
        let (mut apps, mut agents) = (Names::default(), Names::default());
        let mut first_test = 0;
        for summary in summaries {
            tables.first_test.push(first_test);
            tables.first_class.push(tables.classes.len());
            tables.runs.push(run(summary, first_test));
            first_test += summary.tests.len();
            for class in &summary.classes {
                let app = apps.number(class.app.as_str());
                tables.classes.push(json!([class.id, app, class.file, class.line]));
                tables.class_ids.push(class.id.to_string());
            }
            let mut by_lease = HashMap::new();
            let run = tables.runs.len() - 1;
            for lease in summary.leases.values() {
                by_lease.insert(lease.id, number(tables.leases.len()));
                let agent = agents.number(lease.place.agent.as_str());
                tables.leases.push(one_lease(summary, lease, run, agent));
            }
            tables.by_lease.push(by_lease);
        }
        (tables.apps, tables.agents) = (apps.list, agents.list);
        tables
    }

    /// The number of a test of a summary.
    pub(super) fn test(&self, run: usize, index: usize) -> u32 {
        number(self.first_test[run] + index)
    }

    /// The number of a class of a summary.
    pub(super) fn class(&self, run: usize, index: usize) -> usize {
        self.first_class[run] + index
    }

    /// The number of a lease of a summary.
    pub(super) fn lease(&self, run: usize, lease: Option<LeaseId>) -> u32 {
        lease.and_then(|lease| self.by_lease[run].get(&lease).copied()).unwrap_or(UNKNOWN)
    }
}

fn run(summary: &Summary, first_test: usize) -> Value {
    let foreign = summary.is_foreign();
    json!({
        "name": summary.run,
        "opened": (summary.opened > 0).then_some(summary.opened),
        "wall": (!foreign).then(|| summary.ended.saturating_sub(summary.opened)),
        "foreign": foreign,
        "first": first_test,
        "tests": summary.tests.len(),
    })
}

/// Times are in milliseconds since the run was opened.
fn one_lease(summary: &Summary, lease: &LeaseState, run: usize, agent: usize) -> Value {
    let since = |moment: u64| moment.saturating_sub(summary.opened);
    let ended = lease.ended.unwrap_or(summary.ended);
    let stages: Vec<Value> = lease
        .spans
        .iter()
        .map(|span| {
            let length = u64::try_from(span.seconds.duration().as_millis()).unwrap_or(u64::MAX);
            let end = since(span.ended);
            json!([stage(span.stage), end.saturating_sub(length), length.min(end)])
        })
        .collect();
    let (begin, end) = (since(lease.leased), since(ended));
    json!([run, agent, lease.place.slot, lease.name(), begin, end, stages, lease.peak_kib])
}

/// Stages as the script of the page names them.
fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Starting => "start",
        Stage::Booting => "boot",
        Stage::Loading => "load",
        Stage::Databases => "databases",
        Stage::Testing => "tests",
        Stage::Closed | Stage::Over => "other",
    }
}

/// Names, each once, in the order they came.
#[derive(Default)]
struct Names {
    list: Vec<String>,
    by_name: HashMap<String, usize>,
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        self.by_name.insert(name.to_owned(), self.list.len());
        self.list.push(name.to_owned());
        self.list.len() - 1
    }
}
