//! What an agent works with, once arguments, environment and host are taken together.

use std::path::PathBuf;

use muletrain_proto::cache;
use muletrain_proto::client::Address;
use muletrain_proto::docker_host::{self, Endpoint};
use muletrain_proto::id::{AgentId, BootId, RunId};
use muletrain_proto::link::Runtime;
use muletrain_proto::run::Limits;

use crate::cli::{DockerArguments, ReapArguments, RunArguments, WarmArguments};
use crate::pure::pod::Owner;

/// What an agent works with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the scheduler listens.
    pub scheduler: Address,
    /// Pods at once.
    pub slots: u32,
    /// What pods are made of.
    pub runtime: Runtime,
    /// The Docker Engine.
    pub endpoint: Endpoint,
    /// Who this agent is.
    pub owner: Owner,
    /// Name of the host, for people.
    pub host: String,
    /// Folder for what runs at the moment.
    pub state: PathBuf,
    /// Whether that folder goes with the agent: one that was made for a single run.
    pub temporary: bool,
    /// Folder of what only saves time; without one, no databases are kept.
    pub cache: Option<PathBuf>,
    /// Whether the end of standard input ends the agent.
    pub attached: bool,
}

/// What databases are kept with, without a scheduler.
#[derive(Debug, Clone)]
pub struct Warm {
    /// The Docker Engine.
    pub endpoint: Endpoint,
    /// Who makes them.
    pub owner: Owner,
    /// What they are marked with in place of a run.
    pub run: RunId,
    /// Folder for what runs at the moment, which goes with it.
    pub state: PathBuf,
    /// Folder of what only saves time.
    pub cache: PathBuf,
    /// What their pods may use.
    pub limits: Limits,
}

/// What a reaper works with.
#[derive(Debug, Clone)]
pub struct Reap {
    /// Whose things it removes.
    pub owner: Owner,
    /// Folder of host processes.
    pub folder: PathBuf,
    /// Engine of containers, if any.
    pub endpoint: Option<Endpoint>,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The engine's address is refused.
    #[error(transparent)]
    Endpoint(#[from] docker_host::Error),
    /// The host's name is no id.
    #[error("the host's name cannot name the agent; name it with --id")]
    Name(#[source] muletrain_proto::id::Error),
    /// Nowhere to keep databases.
    #[error("there is no home folder to keep databases in; name a folder with --cache")]
    NoCache,
    /// Nowhere to keep state.
    #[error("there is no home folder to keep state in; name a folder with --state")]
    NoHome,
}

impl Settings {
    /// Settings of `run`.
    ///
    /// # Errors
    /// When something is neither given nor found, or is refused.
    pub fn from_arguments(arguments: &RunArguments) -> Result<Self, Error> {
        let host = host();
        let boot = new_boot().map_err(Error::Name)?;
        let agent = match &arguments.id {
            Some(id) => id.clone(),
            None => default_id(&host, &boot, arguments.attached).map_err(Error::Name)?,
        };
        let state = match &arguments.state {
            Some(state) => state.clone(),
            None => default_state()?.join(agent.as_str()),
        };
        Ok(Self {
            scheduler: arguments.scheduler.clone(),
            slots: arguments.slots.unwrap_or_else(processors),
            runtime: arguments.runtime.into(),
            endpoint: endpoint(&arguments.docker)?,
            owner: Owner { agent, boot },
            host,
            state,
            temporary: arguments.attached && arguments.state.is_none(),
            cache: arguments.cache.clone().or_else(cache::default_folder),
            attached: arguments.attached,
        })
    }
}

impl Warm {
    /// Settings of `warm`.
    ///
    /// # Errors
    /// When something is neither given nor found, or is refused.
    pub fn from_arguments(arguments: &WarmArguments) -> Result<Self, Error> {
        let boot = new_boot().map_err(Error::Name)?;
        let agent = default_id(&host(), &boot, true).map_err(Error::Name)?;
        let cache = arguments.cache.clone().or_else(cache::default_folder);
        let run = RunId::new(format!("warm-{boot}")).map_err(Error::Name)?;
        let usual = Limits::default();
        let limits = Limits {
            memory: arguments.memory.unwrap_or(usual.memory),
            processes: arguments.processes.unwrap_or(usual.processes),
            ..usual
        };
        Ok(Self {
            run,
            limits,
            endpoint: endpoint(&arguments.docker)?,
            state: default_state()?.join(agent.as_str()),
            owner: Owner { agent, boot },
            cache: cache.ok_or(Error::NoCache)?,
        })
    }
}

impl Reap {
    /// Settings of `reap`.
    ///
    /// # Errors
    /// When the engine's address is none.
    pub fn from_arguments(arguments: &ReapArguments) -> Result<Self, Error> {
        // Whether the engine may be used was decided by the agent.
        let endpoint = arguments.docker_host.as_deref().map(|text| docker_host::parse(text, true));
        Ok(Self {
            owner: Owner { agent: arguments.agent.clone(), boot: arguments.boot.clone() },
            folder: arguments.folder.clone(),
            endpoint: endpoint.transpose()?,
        })
    }
}

/// The engine that arguments name, else the local one.
///
/// # Errors
/// When the address is refused.
pub fn endpoint(arguments: &DockerArguments) -> Result<Endpoint, Error> {
    let host = arguments.docker_host.as_deref().filter(|host| !host.is_empty());
    match host {
        Some(host) => Ok(docker_host::parse(host, arguments.insecure_docker_host)?),
        None => Ok(docker_host::local()),
    }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn new_boot() -> Result<BootId, muletrain_proto::id::Error> {
    BootId::new(format!("{:016x}", fastrand::u64(..)))
}

/// The host's name; with the boot behind it for an agent that belongs to one run, because several
/// may be on a host at once and one must not take another for an earlier life of itself.
fn default_id(
    host: &str,
    boot: &BootId,
    attached: bool,
) -> Result<AgentId, muletrain_proto::id::Error> {
    let host = if host.is_empty() { "localhost" } else { host };
    match attached {
        true => AgentId::new(format!("{host}-{boot}")),
        false => AgentId::new(host),
    }
}

fn default_state() -> Result<PathBuf, Error> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let base = match (variable("XDG_STATE_HOME"), variable("HOME")) {
        (Some(state), _) => PathBuf::from(state),
        (None, Some(home)) => PathBuf::from(home).join(".local/state"),
        (None, None) => return Err(Error::NoHome),
    };
    Ok(base.join("muletrain/agents"))
}

fn processors() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Arguments, Command};

    fn warm(arguments: &[&str]) -> Warm {
        let usual = ["muletrain-agent", "warm", "--cache", "/var/cache/muletrain"];
        match Arguments::try_parse_from(usual.iter().chain(arguments)).unwrap().command {
            Command::Warm(arguments) => Warm::from_arguments(&arguments).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn databases_are_set_up_within_the_limits_that_are_given() {
        let usual = Limits::default();
        let (memory, processes) = (3 << 30, 64);
        let given = warm(&["--memory=3221225472b", "--processes=64"]);
        assert_eq!(given.limits, Limits { memory, processes, ..usual });
    }
}
