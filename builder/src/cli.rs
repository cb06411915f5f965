//! The command line of `muletrain-builder`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use muletrain_proto::cli::{Common, Generate};
use muletrain_proto::client::Address;
use muletrain_proto::config::{Runtime, units};
use muletrain_proto::registry::Repository;
use muletrain_proto::seconds::Seconds;

/// Freezes a Django branch into the snapshot that its tests run in
#[derive(Debug, Parser)]
#[command(name = "muletrain-builder", version, after_help = EXAMPLES, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Arguments of every binary.
    #[command(flatten)]
    pub common: Common,
}

const EXAMPLES: &str = "\
Examples:
  muletrain-builder suites                 the apps of the project in this folder
  muletrain-builder build                  freeze it, in Docker where an engine answers
  muletrain-builder build shop --runtime process
  muletrain-builder warm                   set its databases up ahead of the next run
  muletrain-builder gc --keep-bytes 5g     remove what was not used for longest
  muletrain-builder build | jq .id
  muletrain-builder build | muletrain-builder push --scheduler http://127.0.0.1:7443";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Freeze a checkout and print the snapshot as JSON
    Build(Build),
    /// Send the images of a snapshot to a scheduler, as far as it lacks them
    ///
    /// The snapshot is read from standard input, as `build` prints it. Agents whose Docker
    /// Engine lacks the images get them from there.
    Push(Push),
    /// Print a snapshot if all of it is still there, and nothing if something is gone
    ///
    /// The snapshot is read from standard input, as `build` prints it.
    Find(Find),
    /// Freeze a checkout and set its test databases up, so that the next run finds them
    ///
    /// They are kept on this host, and used by every run whose migrations, models and settings
    /// are the same. Variables that [env] pass names have to be set as they are for the run.
    Warm(Warm),
    /// Remove the images, copies and environments that were not used for longest
    ///
    /// What a container or another builder uses stays, and so does what it is made on.
    Gc(Collection),
    /// List the apps of a checkout and their test modules, by reading files only
    Suites(Suites),
    /// Print a manual page or a completion script
    #[command(subcommand)]
    Generate(Generate),
}

/// A project, and what it is frozen for.
#[derive(Debug, Args)]
pub struct Project {
    /// The project: the folder that holds muletrain.toml, pyproject.toml or manage.py
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// What tests will run in
    #[arg(long, value_enum, env = "MULETRAIN_RUNTIME")]
    pub runtime: Option<Runtime>,
    /// Repository of a registry by which bases are shared: HOST[:PORT]/PATH
    #[arg(long, value_name = "REPOSITORY", env = "MULETRAIN_REGISTRY")]
    pub registry: Option<Repository>,
    /// Where it is kept.
    #[command(flatten)]
    pub places: Places,
}

/// Where things are kept.
#[derive(Debug, Args)]
pub struct Places {
    /// Docker Engine that has the images: unix:///PATH or tcp://127.0.0.1:PORT
    #[arg(long, value_name = "URL", env = "MULETRAIN_DOCKER_HOST")]
    pub docker_host: Option<String>,
    /// Where everything else is kept: copies, environments, databases [default: ~/.cache/muletrain]
    #[arg(long, value_name = "DIR", env = "MULETRAIN_CACHE")]
    pub cache: Option<PathBuf>,
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub struct Build {
    /// What to freeze.
    #[command(flatten)]
    pub project: Project,
    /// Take the commit that is checked out, whatever stands in the working tree
    #[arg(long)]
    pub committed: bool,
    /// List what a snapshot would hold (-v: every path) and what stays out and why; build nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print that list as JSON
    #[arg(long, requires = "dry_run")]
    pub json: bool,
}

/// Arguments of `warm`.
#[derive(Debug, Args)]
pub struct Warm {
    /// What to freeze.
    #[command(flatten)]
    pub project: Project,
    /// Memory of one container, such as 512m or 2g
    #[arg(long, value_name = "SIZE", value_parser = units::parse_bytes, env = "MULETRAIN_MEMORY")]
    pub memory: Option<u64>,
    /// Processes and threads of one container
    #[arg(long, value_name = "N", env = "MULETRAIN_PROCESSES")]
    pub processes: Option<u32>,
}

/// Arguments of `push`.
#[derive(Debug, Args)]
pub struct Push {
    /// The scheduler: http://HOST:PORT or unix:PATH
    #[arg(long, value_name = "URL", env = "MULETRAIN_SCHEDULER")]
    pub scheduler: Address,
    /// Where they are.
    #[command(flatten)]
    pub places: Places,
}

/// Arguments of `find`.
#[derive(Debug, Args)]
pub struct Find {
    /// Where it would be.
    #[command(flatten)]
    pub places: Places,
}

/// Arguments of `gc`.
#[derive(Debug, Args)]
pub struct Collection {
    /// How much may stay, the last used first
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "20GiB")]
    pub keep_bytes: u64,
    /// What was used within this time stays, whatever it takes
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "1h")]
    pub keep_recent: Seconds,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where they are.
    #[command(flatten)]
    pub places: Places,
}

/// A size as anywhere else, or nothing.
fn size(text: &str) -> Result<u64, units::Error> {
    if text == "0" { Ok(0) } else { units::parse_bytes(text) }
}

/// A time as anywhere else, or none.
fn time(text: &str) -> Result<Seconds, units::Error> {
    if text == "0" { Ok(Seconds::ZERO) } else { units::parse_duration(text) }
}

/// Arguments of `suites`.
#[derive(Debug, Args)]
pub struct Suites {
    /// The project's folder
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
