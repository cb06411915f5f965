//! What people and scripts ask of runs, and what agents are told of them.

use super::{At, Error, json, member, optional, same_protocol};
use crate::id::RunId;
use crate::link::RunBrief;
use crate::run::{Options, Overview, Secrets, State, Submission, Watch};
use crate::snapshot::{self, Snapshot};
use crate::wire;

fn snapshot(json: &str) -> Result<Snapshot, Error> {
    snapshot::read(json).at("snapshot")
}

fn options(json: &str) -> Result<Options, Error> {
    serde_json::from_str(json).at("options")
}

impl TryFrom<wire::RunBrief> for RunBrief {
    type Error = Error;

    fn try_from(message: wire::RunBrief) -> Result<Self, Error> {
        Ok(Self {
            run: RunId::new(message.run).at("run")?,
            snapshot: snapshot(&message.snapshot)?,
            options: options(&message.options)?,
            secrets: Secrets(message.secrets),
        })
    }
}

impl From<RunBrief> for wire::RunBrief {
    fn from(brief: RunBrief) -> Self {
        Self {
            run: brief.run.into(),
            snapshot: json(&brief.snapshot),
            options: json(&brief.options),
            secrets: brief.secrets.0,
        }
    }
}

impl TryFrom<wire::SubmitRequest> for Submission {
    type Error = Error;

    fn try_from(message: wire::SubmitRequest) -> Result<Self, Error> {
        same_protocol(message.protocol)?;
        Ok(Self {
            snapshot: snapshot(&message.snapshot)?,
            options: options(&message.options)?,
            secrets: Secrets(message.secrets),
        })
    }
}

impl From<Submission> for wire::SubmitRequest {
    fn from(submission: Submission) -> Self {
        Self {
            protocol: crate::PROTOCOL,
            snapshot: json(&submission.snapshot),
            options: json(&submission.options),
            secrets: submission.secrets.0,
        }
    }
}

impl TryFrom<wire::SubmitReply> for RunId {
    type Error = Error;

    fn try_from(message: wire::SubmitReply) -> Result<Self, Error> {
        Self::new(message.run).at("run")
    }
}

impl From<RunId> for wire::SubmitReply {
    fn from(run: RunId) -> Self {
        Self { run: run.into() }
    }
}

impl TryFrom<wire::CancelRequest> for RunId {
    type Error = Error;

    fn try_from(message: wire::CancelRequest) -> Result<Self, Error> {
        Self::new(message.run).at("run")
    }
}

impl From<RunId> for wire::CancelRequest {
    fn from(run: RunId) -> Self {
        Self { run: run.into() }
    }
}

impl TryFrom<wire::WatchRequest> for Watch {
    type Error = Error;

    fn try_from(message: wire::WatchRequest) -> Result<Self, Error> {
        let run = Some(message.run).filter(|run| !run.is_empty());
        Ok(Self { run: optional(run, "run")?, from: message.from })
    }
}

impl From<Watch> for wire::WatchRequest {
    fn from(watch: Watch) -> Self {
        Self { run: watch.run.map(String::from).unwrap_or_default(), from: watch.from }
    }
}

impl TryFrom<wire::RunSummary> for Overview {
    type Error = Error;

    fn try_from(message: wire::RunSummary) -> Result<Self, Error> {
        Ok(Self {
            run: RunId::new(message.run).at("run")?,
            project: message.project,
            opened_at: message.opened_at,
            state: member::<wire::RunState, _>(message.state, "state")?,
            tests: message.tests,
            settled: message.settled,
            red: message.red,
        })
    }
}

impl From<Overview> for wire::RunSummary {
    fn from(run: Overview) -> Self {
        Self {
            run: run.run.into(),
            project: run.project,
            opened_at: run.opened_at,
            state: wire::RunState::from(run.state).into(),
            tests: run.tests,
            settled: run.settled,
            red: run.red,
        }
    }
}

impl TryFrom<wire::RunState> for State {
    type Error = Error;

    fn try_from(state: wire::RunState) -> Result<Self, Error> {
        match state {
            wire::RunState::Unspecified => Err(Error::missing()),
            wire::RunState::Running => Ok(Self::Running),
            wire::RunState::Stopping => Ok(Self::Stopping),
            wire::RunState::Closed => Ok(Self::Closed),
        }
    }
}

impl From<State> for wire::RunState {
    fn from(state: State) -> Self {
        match state {
            State::Running => Self::Running,
            State::Stopping => Self::Stopping,
            State::Closed => Self::Closed,
        }
    }
}

impl TryFrom<wire::ListReply> for Vec<Overview> {
    type Error = Error;

    fn try_from(message: wire::ListReply) -> Result<Self, Error> {
        super::each(message.runs, "runs")
    }
}

impl From<Vec<Overview>> for wire::ListReply {
    fn from(runs: Vec<Overview>) -> Self {
        Self { runs: super::all(runs) }
    }
}
