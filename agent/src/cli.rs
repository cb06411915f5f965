//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use muletrain_proto::cli::{Common, Generate};
use muletrain_proto::client::Address;
use muletrain_proto::config::units;
use muletrain_proto::id::{AgentId, BootId};
use muletrain_proto::link::Runtime;

const EXAMPLES: &str = "\
Examples:
  Offer four slots of this machine's Docker Engine to a scheduler
      muletrain-agent run --scheduler http://ci.example:7443 --slots 4
  Run tests as processes of this host, without containers
      muletrain-agent run --scheduler unix:/run/muletrain.sock --runtime process
  See what is missing on this host
      muletrain-agent check";

/// Runs leased apps in containers or host processes and streams their events.
#[derive(Debug, Parser)]
#[command(name = "muletrain-agent", version, after_help = EXAMPLES)]
pub struct Arguments {
    /// Arguments that all binaries have.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take work from a scheduler until told to stop
    ///
    /// SIGTERM finishes what is held and takes nothing new; a second one, or SIGINT, gives up
    /// what is held. In every case nothing is left behind on this host.
    Run(RunArguments),
    /// Set up the databases of a snapshot and keep them for runs to come
    ///
    /// Reads the snapshot from standard input, as the builder prints it, and prints one line of
    /// JSON: whether databases were found, made, or skipped because they take no time, and the
    /// seconds that took.
    Warm(WarmArguments),
    /// Say what is missing on this host, and the fix
    Check(CheckArguments),
    /// Clean up once the agent that holds standard input is gone
    #[command(hide = true)]
    Reap(ReapArguments),
    /// Print the manual page or a completion script
    #[command(subcommand)]
    Generate(Generate),
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Where the scheduler listens: unix:PATH or http://HOST:PORT
    #[arg(long, value_name = "ADDRESS", env = "MULETRAIN_SCHEDULER")]
    pub scheduler: Address,
    /// Pods run at once [default: one for each processor]
    #[arg(long, value_name = "N", env = "MULETRAIN_SLOTS", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub slots: Option<u32>,
    /// What pods are made of
    #[arg(long, value_enum, default_value_t = RuntimeName::Docker, env = "MULETRAIN_RUNTIME")]
    pub runtime: RuntimeName,
    /// The Docker Engine.
    #[command(flatten)]
    pub docker: DockerArguments,
    /// Name of this agent, the same over its restarts [default: the host's name]
    #[arg(long, value_name = "ID", env = "MULETRAIN_AGENT_ID")]
    pub id: Option<AgentId>,
    /// Folder for what runs at the moment [default: in the user's state folder]
    #[arg(long, value_name = "FOLDER", env = "MULETRAIN_STATE")]
    pub state: Option<PathBuf>,
    /// Where databases are kept from run to run [default: ~/.cache/muletrain]
    #[arg(long, value_name = "DIR", env = "MULETRAIN_CACHE")]
    pub cache: Option<PathBuf>,
    /// Shut down when standard input ends
    #[arg(long, hide = true)]
    pub attached: bool,
}

/// Arguments of `warm`.
#[derive(Debug, Args)]
pub struct WarmArguments {
    /// The Docker Engine.
    #[command(flatten)]
    pub docker: DockerArguments,
    /// Where databases are kept from run to run [default: ~/.cache/muletrain]
    #[arg(long, value_name = "DIR", env = "MULETRAIN_CACHE")]
    pub cache: Option<PathBuf>,
    /// Memory of one container, such as 512m or 2g
    #[arg(long, value_name = "SIZE", value_parser = units::parse_bytes, env = "MULETRAIN_MEMORY")]
    pub memory: Option<u64>,
    /// Processes and threads of one container
    #[arg(long, value_name = "N", env = "MULETRAIN_PROCESSES")]
    pub processes: Option<u32>,
}

/// Where the Docker Engine is.
#[derive(Debug, Args)]
pub struct DockerArguments {
    /// The Docker Engine: unix:///PATH or tcp://HOST:PORT [default: the local one]
    #[arg(long, value_name = "URL", env = "DOCKER_HOST")]
    pub docker_host: Option<String>,
    /// Allow plain TCP to a Docker Engine on another host
    #[arg(long)]
    pub insecure_docker_host: bool,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Check what this runtime needs [default: both]
    #[arg(long, value_enum, env = "MULETRAIN_RUNTIME")]
    pub runtime: Option<RuntimeName>,
    /// The Docker Engine.
    #[command(flatten)]
    pub docker: DockerArguments,
}

/// Arguments of `reap`.
#[derive(Debug, Args)]
pub struct ReapArguments {
    /// The agent
    #[arg(long)]
    pub agent: AgentId,
    /// The life of it that is watched
    #[arg(long)]
    pub boot: BootId,
    /// Folder of its host processes
    #[arg(long)]
    pub folder: PathBuf,
    /// The engine of its containers
    #[arg(long)]
    pub docker_host: Option<String>,
}

/// What pods are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RuntimeName {
    /// Containers
    Docker,
    /// Processes of this host, without limits or a fence around them
    Process,
}

impl From<RuntimeName> for Runtime {
    fn from(name: RuntimeName) -> Self {
        match name {
            RuntimeName::Docker => Self::Docker,
            RuntimeName::Process => Self::Process,
        }
    }
}
