//! Events of a pod's own life, from its start to the failure that ends it.

use super::outcome::output;
use super::{At, Error, all, each, member, required};
use crate::event::{
    Booted, Collected, Database, Failed, Phase, Planned, PodStarted, Ready, Warming,
};
use crate::seconds::Seconds;
use crate::wire::{self, warming::Step};

impl TryFrom<wire::Warming> for Warming {
    type Error = Error;

    fn try_from(message: wire::Warming) -> Result<Self, Error> {
        Ok(match message.step.ok_or_else(Error::missing).at("step")? {
            Step::Begun(wire::Nothing {}) => Self::Begun,
            Step::Found(wire::Nothing {}) => Self::Found,
            Step::Made(seconds) => Self::Made { seconds: Seconds::new(seconds).at("made")? },
            Step::Failed(reason) => Self::Failed { reason },
        })
    }
}

impl From<Warming> for wire::Warming {
    fn from(event: Warming) -> Self {
        let step = match event {
            Warming::Begun => Step::Begun(wire::Nothing {}),
            Warming::Found => Step::Found(wire::Nothing {}),
            Warming::Made { seconds } => Step::Made(seconds.get()),
            Warming::Failed { reason } => Step::Failed(reason),
        };
        Self { step: Some(step) }
    }
}

impl TryFrom<wire::PodStarted> for PodStarted {
    type Error = Error;

    fn try_from(message: wire::PodStarted) -> Result<Self, Error> {
        Ok(Self {
            pod: message.pod,
            seconds: Seconds::new(message.seconds).at("seconds")?,
            reused: message.reused,
        })
    }
}

impl From<PodStarted> for wire::PodStarted {
    fn from(event: PodStarted) -> Self {
        Self { pod: event.pod, seconds: event.seconds.get(), reused: event.reused }
    }
}

impl TryFrom<wire::Booted> for Booted {
    type Error = Error;

    fn try_from(message: wire::Booted) -> Result<Self, Error> {
        Ok(Self {
            python: message.python,
            django: message.django,
            runner: message.runner,
            seconds: Seconds::new(message.seconds).at("seconds")?,
        })
    }
}

impl From<Booted> for wire::Booted {
    fn from(event: Booted) -> Self {
        Self {
            python: event.python,
            django: event.django,
            runner: event.runner,
            seconds: event.seconds.get(),
        }
    }
}

impl TryFrom<wire::Collected> for Collected {
    type Error = Error;

    fn try_from(message: wire::Collected) -> Result<Self, Error> {
        Ok(Self {
            inventory: required(message.inventory, "inventory")?,
            seconds: Seconds::new(message.seconds).at("seconds")?,
        })
    }
}

impl From<Collected> for wire::Collected {
    fn from(event: Collected) -> Self {
        Self { inventory: Some(event.inventory.into()), seconds: event.seconds.get() }
    }
}

impl TryFrom<wire::Planned> for Planned {
    type Error = Error;

    fn try_from(message: wire::Planned) -> Result<Self, Error> {
        Ok(Self {
            inventory: required(message.inventory, "inventory")?,
            missing: each(message.missing, "missing")?,
            seconds: Seconds::new(message.seconds).at("seconds")?,
        })
    }
}

impl From<Planned> for wire::Planned {
    fn from(event: Planned) -> Self {
        Self {
            inventory: Some(event.inventory.into()),
            missing: all(event.missing),
            seconds: event.seconds.get(),
        }
    }
}

impl TryFrom<wire::Ready> for Ready {
    type Error = Error;

    fn try_from(message: wire::Ready) -> Result<Self, Error> {
        Ok(Self {
            databases: all(message.databases),
            seconds: Seconds::new(message.seconds).at("seconds")?,
            output: output(message.output),
        })
    }
}

impl From<Ready> for wire::Ready {
    fn from(event: Ready) -> Self {
        Self {
            databases: all(event.databases),
            seconds: event.seconds.get(),
            output: Some(event.output.into()),
        }
    }
}

impl From<wire::Database> for Database {
    fn from(message: wire::Database) -> Self {
        Self { alias: message.alias, vendor: message.vendor, warm: message.warm }
    }
}

impl From<Database> for wire::Database {
    fn from(database: Database) -> Self {
        Self { alias: database.alias, vendor: database.vendor, warm: database.warm }
    }
}

impl TryFrom<wire::Failed> for Failed {
    type Error = Error;

    fn try_from(message: wire::Failed) -> Result<Self, Error> {
        Ok(Self {
            phase: member::<wire::Phase, _>(message.phase, "phase")?,
            failures: each(message.failures, "failures")?,
            output: output(message.output),
        })
    }
}

impl From<Failed> for wire::Failed {
    fn from(event: Failed) -> Self {
        Self {
            phase: wire::Phase::from(event.phase).into(),
            failures: all(event.failures),
            output: Some(event.output.into()),
        }
    }
}

impl TryFrom<wire::Phase> for Phase {
    type Error = Error;

    fn try_from(phase: wire::Phase) -> Result<Self, Error> {
        Ok(match phase {
            wire::Phase::Unspecified => return Err(Error::missing()),
            wire::Phase::Setup => Self::Setup,
            wire::Phase::Boot => Self::Boot,
            wire::Phase::Collect => Self::Collect,
            wire::Phase::Databases => Self::Databases,
            wire::Phase::Checks => Self::Checks,
            wire::Phase::Run => Self::Run,
            wire::Phase::Teardown => Self::Teardown,
        })
    }
}

impl From<Phase> for wire::Phase {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Setup => Self::Setup,
            Phase::Boot => Self::Boot,
            Phase::Collect => Self::Collect,
            Phase::Databases => Self::Databases,
            Phase::Checks => Self::Checks,
            Phase::Run => Self::Run,
            Phase::Teardown => Self::Teardown,
        }
    }
}
