//! What the harness does around the tests: shell commands, files to take out, coverage.

use std::time::Duration;

use muletrain_proto::lease::{Lease, Work};
use muletrain_proto::link::RunBrief;
use muletrain_proto::run::ARTIFACT_LIMIT;
use muletrain_proto::seconds::Seconds;
use serde::Serialize;

/// How long a pod may take to send its files and to end.
const FILES_LIMIT: Duration = Duration::from_secs(10 * 60);

/// As many times the limit of a file may be taken out of one pod.
const FILES: u64 = 10;

/// What the harness does around the tests, as `hello` says it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Around {
    /// Shell commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hooks: Option<Hooks>,
    /// Files to take out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifacts: Option<Files>,
    /// That coverage is measured, or combined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
}

/// Shell commands of a pod.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hooks {
    pod_setup: Vec<String>,
    pod_teardown: Vec<String>,
    app_setup: Vec<String>,
    app_teardown: Vec<String>,
    timeout: Seconds,
}

/// Files to take out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Files {
    globs: Vec<String>,
    limit: u64,
    total_limit: u64,
}

/// How coverage is measured, or combined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    config: Option<String>,
    xml: bool,
    html: bool,
}

impl Around {
    /// What is around the tests of a lease.
    #[must_use]
    pub fn of(lease: &Lease, brief: &RunBrief) -> Self {
        let options = &brief.options;
        let limit = options.artifact_limit.unwrap_or(ARTIFACT_LIMIT);
        let total_limit = limit.saturating_mul(FILES);
        let files = || Files { globs: options.artifacts.clone(), limit, total_limit };
        let coverage = options.coverage.clone().map(|coverage| Coverage {
            config: coverage.config,
            xml: coverage.xml,
            html: coverage.html,
        });
        match lease.work {
            Work::Combine { .. } => Self { coverage, ..Self::default() },
            Work::Collect { .. } => {
                Self { hooks: Hooks::of(brief, false), artifacts: None, coverage }
            }
            Work::Run { .. } => {
                let artifacts = (!options.artifacts.is_empty()).then(files);
                Self { hooks: Hooks::of(brief, true), artifacts, coverage }
            }
        }
    }

    /// Whether something is left to do once the tests are over, whatever became of them.
    #[must_use]
    pub fn has_an_end(&self) -> bool {
        let hooks = self.hooks.as_ref();
        let tears_down = hooks
            .is_some_and(|hooks| !(hooks.pod_teardown.is_empty() && hooks.app_teardown.is_empty()));
        tears_down || self.artifacts.is_some() || self.coverage.is_some()
    }

    /// Whether some of it is done once for a pod, when nothing follows in it.
    #[must_use]
    pub fn ends_with_its_pod(&self) -> bool {
        let hooks = self.hooks.as_ref();
        hooks.is_some_and(|hooks| !hooks.pod_teardown.is_empty()) || self.coverage.is_some()
    }

    /// How long the longest of it may take without a word.
    #[must_use]
    pub fn limit(&self) -> Duration {
        let hook = self.hooks.as_ref().map_or(Duration::ZERO, |hooks| hooks.timeout.duration());
        FILES_LIMIT.saturating_add(hook)
    }
}

impl Hooks {
    /// None where there are no commands.
    fn of(brief: &RunBrief, has_app: bool) -> Option<Self> {
        let hooks = &brief.options.hooks;
        let of_app = |commands: &Vec<String>| match has_app {
            true => commands.clone(),
            false => vec![],
        };
        let hooks = Self {
            pod_setup: hooks.pod_setup.clone(),
            pod_teardown: hooks.pod_teardown.clone(),
            app_setup: of_app(&hooks.app_setup),
            app_teardown: of_app(&hooks.app_teardown),
            timeout: hooks.limit(),
        };
        let lists = [&hooks.pod_setup, &hooks.pod_teardown, &hooks.app_setup, &hooks.app_teardown];
        let is_empty = lists.iter().all(|commands| commands.is_empty());
        (!is_empty).then_some(hooks)
    }
}
