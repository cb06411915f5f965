//! What is around the tests: files that pods leave behind, shell commands, warnings, coverage.

use super::outcome::output;
use super::{At, Error, all, each, member};
use crate::artifact::{Artifact, Kind, Name};
use crate::coverage::{Combined, Part};
use crate::event::{Warning, Warnings};
use crate::hook::{Hook, Scope, Stage};
use crate::id::RunId;
use crate::seconds::Seconds;
use crate::wire;

impl TryFrom<wire::Artifact> for Artifact {
    type Error = Error;

    fn try_from(message: wire::Artifact) -> Result<Self, Error> {
        Ok(Self {
            name: Name::new(message.name).at("name")?,
            kind: member::<wire::ArtifactKind, _>(message.kind, "kind")?,
            size: message.size,
            digest: message.digest.map(|digest| digest.parse().at("digest")).transpose()?,
            omitted: message.omitted,
            lost: message.lost,
        })
    }
}

impl From<Artifact> for wire::Artifact {
    fn from(artifact: Artifact) -> Self {
        Self {
            name: artifact.name.into(),
            kind: wire::ArtifactKind::from(artifact.kind).into(),
            size: artifact.size,
            digest: artifact.digest.map(String::from),
            omitted: artifact.omitted,
            lost: artifact.lost,
        }
    }
}

impl TryFrom<wire::ArtifactKind> for Kind {
    type Error = Error;

    fn try_from(kind: wire::ArtifactKind) -> Result<Self, Error> {
        match kind {
            wire::ArtifactKind::Unspecified => Err(Error::missing()),
            wire::ArtifactKind::File => Ok(Self::File),
            wire::ArtifactKind::Coverage => Ok(Self::Coverage),
            wire::ArtifactKind::Report => Ok(Self::Report),
        }
    }
}

impl From<Kind> for wire::ArtifactKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::File => Self::File,
            Kind::Coverage => Self::Coverage,
            Kind::Report => Self::Report,
        }
    }
}

impl TryFrom<wire::Hook> for Hook {
    type Error = Error;

    fn try_from(message: wire::Hook) -> Result<Self, Error> {
        Ok(Self {
            scope: member::<wire::HookScope, _>(message.scope, "scope")?,
            stage: member::<wire::HookStage, _>(message.stage, "stage")?,
            command: message.command,
            seconds: Seconds::new(message.seconds).at("seconds")?,
            status: message.status,
            signal: message.signal,
            timed_out: message.timed_out,
            output: output(message.output),
        })
    }
}

impl From<Hook> for wire::Hook {
    fn from(hook: Hook) -> Self {
        Self {
            scope: wire::HookScope::from(hook.scope).into(),
            stage: wire::HookStage::from(hook.stage).into(),
            command: hook.command,
            seconds: hook.seconds.get(),
            status: hook.status,
            signal: hook.signal,
            timed_out: hook.timed_out,
            output: Some(hook.output.into()),
        }
    }
}

impl TryFrom<wire::HookScope> for Scope {
    type Error = Error;

    fn try_from(scope: wire::HookScope) -> Result<Self, Error> {
        match scope {
            wire::HookScope::Unspecified => Err(Error::missing()),
            wire::HookScope::Run => Ok(Self::Run),
            wire::HookScope::Pod => Ok(Self::Pod),
            wire::HookScope::App => Ok(Self::App),
        }
    }
}

impl From<Scope> for wire::HookScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Run => Self::Run,
            Scope::Pod => Self::Pod,
            Scope::App => Self::App,
        }
    }
}

impl TryFrom<wire::HookStage> for Stage {
    type Error = Error;

    fn try_from(stage: wire::HookStage) -> Result<Self, Error> {
        match stage {
            wire::HookStage::Unspecified => Err(Error::missing()),
            wire::HookStage::Setup => Ok(Self::Setup),
            wire::HookStage::Teardown => Ok(Self::Teardown),
        }
    }
}

impl From<Stage> for wire::HookStage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Setup => Self::Setup,
            Stage::Teardown => Self::Teardown,
        }
    }
}

impl TryFrom<wire::TearDownRequest> for (RunId, Vec<Hook>) {
    type Error = Error;

    fn try_from(message: wire::TearDownRequest) -> Result<Self, Error> {
        Ok((RunId::new(message.run).at("run")?, each(message.hooks, "hooks")?))
    }
}

impl From<(RunId, Vec<Hook>)> for wire::TearDownRequest {
    fn from((run, hooks): (RunId, Vec<Hook>)) -> Self {
        Self { run: run.into(), hooks: all(hooks) }
    }
}

impl From<wire::Warnings> for Warnings {
    fn from(message: wire::Warnings) -> Self {
        Self { warnings: all(message.warnings), omitted: message.omitted }
    }
}

impl From<Warnings> for wire::Warnings {
    fn from(warnings: Warnings) -> Self {
        Self { warnings: all(warnings.warnings), omitted: warnings.omitted }
    }
}

impl From<wire::Warning> for Warning {
    fn from(message: wire::Warning) -> Self {
        let wire::Warning { category, message, file, line, count } = message;
        Self { category, message, file, line, count }
    }
}

impl From<Warning> for wire::Warning {
    fn from(warning: Warning) -> Self {
        let Warning { category, message, file, line, count } = warning;
        Self { category, message, file, line, count }
    }
}

impl TryFrom<wire::Combined> for Combined {
    type Error = Error;

    fn try_from(message: wire::Combined) -> Result<Self, Error> {
        Ok(Self {
            files: message.files,
            statements: message.statements,
            missing: message.missing,
            branches: message.branches,
            missing_branches: message.missing_branches,
            percent: message.percent,
            demanded: message.demanded,
            notes: message.notes,
            seconds: Seconds::new(message.seconds).at("seconds")?,
        })
    }
}

impl From<Combined> for wire::Combined {
    fn from(combined: Combined) -> Self {
        Self {
            files: combined.files,
            statements: combined.statements,
            missing: combined.missing,
            branches: combined.branches,
            missing_branches: combined.missing_branches,
            percent: combined.percent,
            demanded: combined.demanded,
            notes: combined.notes,
            seconds: combined.seconds.get(),
        }
    }
}

impl TryFrom<wire::CoveragePart> for Part {
    type Error = Error;

    fn try_from(message: wire::CoveragePart) -> Result<Self, Error> {
        Ok(Self {
            name: Name::new(message.name).at("name")?,
            digest: message.digest.parse().at("digest")?,
        })
    }
}

impl From<Part> for wire::CoveragePart {
    fn from(part: Part) -> Self {
        Self { name: part.name.into(), digest: part.digest.to_string() }
    }
}
