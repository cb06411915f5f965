//! What a build uses, from arguments, variables, the file and the host, in this order.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use muletrain_proto::cache;
use muletrain_proto::client::Address;
use muletrain_proto::config::{self, Config, Runtime};

use crate::cli;
use crate::error::Error;

/// Everything a build needs to know.
#[derive(Debug, Default)]
pub struct Build {
    /// The project's folder.
    pub path: PathBuf,
    /// What its configuration file says.
    pub config: Config,
    /// What tests will run in.
    pub runtime: Runtime,
    /// Docker Engine asked for; none: the host's own.
    pub docker_host: Option<String>,
    /// Whether the commit is taken instead of the files as they stand.
    pub committed: bool,
    /// Folder of the cache.
    pub cache: PathBuf,
    /// What this builder is called on an engine: like no other that uses it.
    pub builder: String,
}

impl Build {
    /// Resolves the arguments of `build`.
    ///
    /// # Errors
    /// When there is no such folder, its configuration is wrong, or no cache folder is known.
    pub fn resolve(arguments: cli::Project, committed: bool) -> Result<Self, Error> {
        let path = project(&arguments.path)?;
        let mut config = config::find(&path)?.config;
        config.image.registry = arguments.registry.or(config.image.registry);
        let configured = config.run.docker_host.clone();
        Ok(Self {
            path,
            runtime: arguments.runtime.or(config.run.runtime).unwrap_or_default(),
            committed,
            config,
            ..Self::at(arguments.places, configured)?
        })
    }

    /// Resolves the arguments of `warm`.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn resolve_warm(arguments: cli::Warm) -> Result<Self, Error> {
        let mut build = Self::resolve(arguments.project, false)?;
        let run = &mut build.config.run;
        run.memory = arguments.memory.or(run.memory);
        run.processes = arguments.processes.or(run.processes);
        Ok(build)
    }

    /// Resolves the arguments of `find`.
    ///
    /// # Errors
    /// When no cache folder is known.
    pub fn resolve_find(arguments: cli::Find) -> Result<Self, Error> {
        Self::at(arguments.places, None)
    }

    /// What no project is needed for.
    fn at(places: cli::Places, configured: Option<String>) -> Result<Self, Error> {
        Ok(Self {
            docker_host: places.docker_host.or(configured).or_else(usual_docker_host),
            cache: cache_folder(places.cache)?,
            builder: name(),
            ..Self::default()
        })
    }
}

/// Everything that sending images needs to know.
#[derive(Debug)]
pub struct Push {
    /// Who gets them.
    pub scheduler: Address,
    /// Where they are.
    pub build: Build,
}

impl Push {
    /// Resolves the arguments of `push`.
    ///
    /// # Errors
    /// When no cache folder is known.
    pub fn resolve(arguments: cli::Push) -> Result<Self, Error> {
        let build = Build::at(arguments.places, None)?;
        Ok(Self { scheduler: arguments.scheduler, build })
    }
}

/// Everything that removing what is unused needs to know.
#[derive(Debug)]
pub struct Collection {
    /// Bytes that may stay.
    pub keep_bytes: u64,
    /// How long something stays after it was used, whatever it takes.
    pub recent: Duration,
    /// Whether nothing is removed.
    pub dry_run: bool,
    /// Where things are.
    pub build: Build,
}

impl Collection {
    /// Resolves the arguments of `gc`.
    ///
    /// # Errors
    /// When no cache folder is known.
    pub fn resolve(arguments: cli::Collection) -> Result<Self, Error> {
        let build = Build::at(arguments.places, None)?;
        let recent = arguments.keep_recent.duration();
        Ok(Self { keep_bytes: arguments.keep_bytes, recent, dry_run: arguments.dry_run, build })
    }
}

fn usual_docker_host() -> Option<String> {
    std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty())
}

fn cache_folder(given: Option<PathBuf>) -> Result<PathBuf, Error> {
    let no_home = || Error::Usage("no home folder to keep a cache in; give --cache DIR".into());
    given.or_else(cache::default_folder).ok_or_else(no_home)
}

/// The project's folder as an absolute path without links.
///
/// # Errors
/// When there is no such folder.
pub fn project(path: &Path) -> Result<PathBuf, Error> {
    let real = path.canonicalize().ok().filter(|path| path.is_dir());
    real.ok_or_else(|| crate::source::Error::NoFolder { path: path.to_owned() }.into())
}

/// A name that no other builder has, not even one with the same process id in a container.
fn name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("muletrain-builder-{}-{:x}", std::process::id(), now.as_nanos())
}
