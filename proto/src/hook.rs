//! Shell commands around the tests: which a project wants, and what became of them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::outcome::Output;
use crate::seconds::Seconds;

/// Shell commands around the tests, each list in the order they run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hooks {
    /// Before a pod loads the project.
    pub pod_setup: Vec<String>,
    /// After everything else in a pod, whatever became of its tests.
    pub pod_teardown: Vec<String>,
    /// Before a pod loads an app's tests.
    pub app_setup: Vec<String>,
    /// After an app's tests in a pod, whatever became of them.
    pub app_teardown: Vec<String>,
    /// Time limit of one command; none: [`Hooks::TIMEOUT`].
    pub timeout: Option<Seconds>,
    /// What was run where the run was started, before it was handed in.
    pub ran: Vec<Hook>,
    /// How many commands whoever handed the run in has for the time when all pods are gone: the
    /// run is not over before they tell what became of them.
    pub run_teardown: u32,
}

impl Hooks {
    /// Time limit of one command, in seconds, where nothing else is said.
    pub const TIMEOUT: u64 = 300;

    /// Time limit of one command.
    #[must_use]
    pub fn limit(&self) -> Seconds {
        self.timeout.unwrap_or(std::time::Duration::from_secs(Self::TIMEOUT).into())
    }

    /// The command before the run that failed.
    #[must_use]
    pub fn failed(&self) -> Option<&Hook> {
        self.ran.iter().find(|hook| hook.is_failed())
    }
}

/// A command that was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hook {
    /// What it is run once for.
    pub scope: Scope,
    /// On which side of the tests.
    pub stage: Stage,
    /// The command, as it is configured.
    pub command: String,
    /// Time it took.
    pub seconds: Seconds,
    /// Exit status, where it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Whether it was killed because its time was up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timed_out: bool,
    /// What it printed.
    #[serde(flatten)]
    pub output: Output,
}

impl Hook {
    /// Whether it did not do what it is for.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.timed_out || self.status != Some(0)
    }

    /// How it ended, in words.
    #[must_use]
    pub fn how(&self) -> String {
        match (self.timed_out, self.status, self.signal) {
            (true, _, _) => {
                format!("did not end within its limit and was killed after {}", self.seconds)
            }
            (false, Some(status), _) => format!("ended with exit status {status}"),
            (false, None, Some(signal)) => format!("was ended by signal {signal}"),
            (false, None, None) => "could not be started".to_owned(),
        }
    }

    /// What it is called, such as `app setup`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.scope, self.stage)
    }
}

/// What a command is run once for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// A run, where it was started.
    Run,
    /// A pod.
    Pod,
    /// An app in a pod.
    App,
}

/// On which side of the tests a command is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before them.
    Setup,
    /// After them.
    Teardown,
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Run => "run",
            Self::Pod => "pod",
            Self::App => "app",
        })
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Setup => "setup",
            Self::Teardown => "teardown",
        })
    }
}
