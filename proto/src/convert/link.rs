//! What an agent and the scheduler say to each other.

use super::{At, Error, all, counted, each, member, required, same_protocol};
use crate::id::{AgentId, BootId, RunId};
use crate::lease::Lease;
use crate::link::{Hello, Report, RunBrief, Runtime, ToAgent, ToScheduler};
use crate::seconds::Seconds;
use crate::wire::{self, agent_message, scheduler_message};

impl TryFrom<wire::AgentMessage> for ToScheduler {
    type Error = Error;

    fn try_from(message: wire::AgentMessage) -> Result<Self, Error> {
        use agent_message::Message;
        Ok(match message.message.ok_or_else(Error::missing).at("message")? {
            Message::Hello(hello) => Self::Hello(Hello::try_from(hello).at("hello")?),
            Message::Credit(leases) => Self::Credit(leases),
            Message::Heartbeat(heartbeat) => {
                Self::Heartbeat(each(heartbeat.leases, "leases").at("heartbeat")?)
            }
            Message::Report(report) => Self::Event(Report::try_from(report).at("report")?),
            Message::Draining(wire::Draining {}) => Self::Draining,
        })
    }
}

impl From<ToScheduler> for wire::AgentMessage {
    fn from(message: ToScheduler) -> Self {
        use agent_message::Message;
        let message = match message {
            ToScheduler::Hello(hello) => Message::Hello(hello.into()),
            ToScheduler::Credit(leases) => Message::Credit(leases),
            ToScheduler::Heartbeat(leases) => {
                Message::Heartbeat(wire::Heartbeat { leases: all(leases) })
            }
            ToScheduler::Event(report) => Message::Report(report.into()),
            ToScheduler::Draining => Message::Draining(wire::Draining {}),
        };
        Self { message: Some(message) }
    }
}

impl TryFrom<wire::Hello> for Hello {
    type Error = Error;

    fn try_from(message: wire::Hello) -> Result<Self, Error> {
        same_protocol(message.protocol)?;
        Ok(Self {
            agent: AgentId::new(message.agent).at("agent")?,
            boot: BootId::new(message.boot).at("boot")?,
            host: message.host,
            version: message.version,
            slots: counted(message.slots, "slots")?,
            runtime: member::<wire::Runtime, _>(message.runtime, "runtime")?,
            platform: message.platform,
            labels: message.labels,
            leases: each(message.leases, "leases")?,
        })
    }
}

impl From<Hello> for wire::Hello {
    fn from(hello: Hello) -> Self {
        Self {
            protocol: crate::PROTOCOL,
            agent: hello.agent.into(),
            boot: hello.boot.into(),
            host: hello.host,
            version: hello.version,
            slots: hello.slots,
            runtime: wire::Runtime::from(hello.runtime).into(),
            platform: hello.platform,
            labels: hello.labels,
            leases: all(hello.leases),
        }
    }
}

impl TryFrom<wire::Runtime> for Runtime {
    type Error = Error;

    fn try_from(runtime: wire::Runtime) -> Result<Self, Error> {
        match runtime {
            wire::Runtime::Unspecified => Err(Error::missing()),
            wire::Runtime::Docker => Ok(Self::Docker),
            wire::Runtime::Process => Ok(Self::Process),
        }
    }
}

impl From<Runtime> for wire::Runtime {
    fn from(runtime: Runtime) -> Self {
        match runtime {
            Runtime::Docker => Self::Docker,
            Runtime::Process => Self::Process,
        }
    }
}

impl TryFrom<wire::Report> for Report {
    type Error = Error;

    fn try_from(message: wire::Report) -> Result<Self, Error> {
        Ok(Self {
            lease: required(message.lease, "lease")?,
            sequence: counted(message.sequence, "sequence")?,
            event: required(message.event, "event")?,
        })
    }
}

impl From<Report> for wire::Report {
    fn from(report: Report) -> Self {
        Self {
            lease: Some(report.lease.into()),
            sequence: report.sequence,
            event: Some(report.event.into()),
        }
    }
}

impl TryFrom<wire::SchedulerMessage> for ToAgent {
    type Error = Error;

    fn try_from(message: wire::SchedulerMessage) -> Result<Self, Error> {
        use scheduler_message::Message;
        Ok(match message.message.ok_or_else(Error::missing).at("message")? {
            Message::Welcome(welcome) => {
                same_protocol(welcome.protocol)?;
                let heartbeat = Seconds::new(welcome.heartbeat_seconds);
                Self::Welcome { heartbeat: heartbeat.at("welcome.heartbeat_seconds")? }
            }
            Message::Run(brief) => Self::Run(Box::new(RunBrief::try_from(brief).at("run")?)),
            Message::Lease(lease) => Self::Lease(Lease::try_from(lease).at("lease")?),
            Message::Grant(message) => {
                let (lease, grant) = message.try_into().at("grant")?;
                Self::Grant(lease, grant)
            }
            Message::Revoke(wire::Revoke { lease, reason }) => {
                Self::Revoke { lease: required(lease, "revoke.lease")?, reason }
            }
            Message::Acknowledge(wire::Acknowledge { lease, sequence }) => {
                Self::Acknowledge { lease: required(lease, "acknowledge.lease")?, sequence }
            }
            Message::Forget(run) => Self::Forget(RunId::new(run).at("forget")?),
        })
    }
}

impl From<ToAgent> for wire::SchedulerMessage {
    fn from(message: ToAgent) -> Self {
        use scheduler_message::Message;
        let message = match message {
            ToAgent::Welcome { heartbeat } => Message::Welcome(wire::Welcome {
                protocol: crate::PROTOCOL,
                heartbeat_seconds: heartbeat.get(),
            }),
            ToAgent::Run(brief) => Message::Run((*brief).into()),
            ToAgent::Lease(lease) => Message::Lease(lease.into()),
            ToAgent::Grant(lease, grant) => Message::Grant((lease, grant).into()),
            ToAgent::Revoke { lease, reason } => {
                Message::Revoke(wire::Revoke { lease: Some(lease.into()), reason })
            }
            ToAgent::Acknowledge { lease, sequence } => {
                Message::Acknowledge(wire::Acknowledge { lease: Some(lease.into()), sequence })
            }
            ToAgent::Forget(run) => Message::Forget(run.into()),
        };
        Self { message: Some(message) }
    }
}
