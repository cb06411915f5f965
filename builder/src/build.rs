//! Making a snapshot: read the checkout, then freeze what was read.

use std::collections::BTreeMap;
use std::path::Path;

use muletrain_proto::config::{Config, Runtime};
use muletrain_proto::id::SnapshotId;
use muletrain_proto::snapshot::{self, App, Content, Environment, Service, Snapshot};
use muletrain_proto::suite::Suite;

use crate::docker::{self, Engine};
use crate::error::Error;
use crate::preview::Preview;
use crate::process::{self, Cache};
use crate::progress::Progress;
use crate::pure::digest::Digest;
use crate::pure::suites::Suites;
use crate::settings;
use crate::source::{self, Source};
use crate::suites;

/// A project's files and everything its configuration says of them.
#[derive(Debug)]
pub struct Frozen {
    /// Name of the project, for people.
    pub name: String,
    /// Its configuration.
    pub config: Config,
    /// Its files.
    pub source: Source,
    /// How its tests are run.
    pub suites: Vec<Suite>,
    /// Its apps.
    pub apps: Vec<App>,
    /// What tests see of the environment.
    pub environment: Environment,
    /// Service containers each pod has.
    pub services: Vec<Service>,
}

/// What making a snapshot works with.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// What is kept from one build to the next.
    pub cache: &'a Cache,
    /// A folder for what is written meanwhile.
    pub staging: &'a Path,
    /// Where it is told what happens.
    pub progress: &'a Progress,
}

/// Where a snapshot ended up.
#[derive(Debug)]
pub struct Placed {
    /// Its id.
    pub id: SnapshotId,
    /// Its content.
    pub content: Content,
    /// The Python to start.
    pub python: String,
    /// Ids of the images that services have, by the services' names, as far as they are known.
    pub images: BTreeMap<String, String>,
}

/// Times a build is begun whose checkout or images change meanwhile.
const ATTEMPTS: usize = 3;

/// Builds a snapshot of the project. A checkout that changes while it is read is read again, and
/// an image that somebody removes meanwhile is made again.
///
/// # Errors
/// When the checkout is no project, cannot be read, or cannot be made into a snapshot.
pub async fn build(settings: &settings::Build, progress: &Progress) -> Result<Snapshot, Error> {
    let engine = choose(settings, progress).await?;
    let cache = Cache::open(&settings.cache)?;
    for _ in 1..ATTEMPTS {
        match freeze_and_place(settings, engine.as_ref(), &cache, progress).await {
            Err(error) if error.is_change() => progress.say(&format!("reading it again: {error}")),
            Err(error) if error.is_loss() => progress.say(&format!("beginning again: {error}")),
            result => return result,
        }
    }
    freeze_and_place(settings, engine.as_ref(), &cache, progress).await
}

/// Says what a snapshot would hold, without an engine.
///
/// # Errors
/// When the checkout cannot be read.
pub fn preview(settings: &settings::Build) -> Result<Preview, Error> {
    let cache = Cache::open(&settings.cache)?;
    let staging = cache.staging()?;
    let commit = staging.path().join("commit");
    let listing = source::list_or_export(&settings.path, settings.committed, &commit)?;
    let known = (!settings.committed).then(|| cache.known());
    let ignored = match settings.committed {
        true => Vec::new(),
        false => source::ignored(&settings.path)?,
    };
    Ok(Preview::new(&listing.read(known.as_deref())?, ignored))
}

async fn freeze_and_place(
    settings: &settings::Build,
    engine: Option<&Engine>,
    cache: &Cache,
    progress: &Progress,
) -> Result<Snapshot, Error> {
    let staging = cache.staging()?;
    let frozen = freeze(settings, cache, staging.path(), progress).await?;
    let place = Place { cache, staging: staging.path(), progress };
    let mut placed = match engine {
        Some(engine) => docker::place(engine, &frozen, &place).await?,
        None => process::place(&frozen, &place).await?,
    };
    let services = frozen.services.into_iter().map(|service| {
        let image_id = placed.images.remove(&service.name);
        Service { image_id, ..service }
    });
    Ok(Snapshot {
        version: snapshot::VERSION,
        id: placed.id,
        name: frozen.name,
        revision: frozen.source.revision,
        content: placed.content,
        python: placed.python,
        suites: frozen.suites,
        environment: frozen.environment,
        services: services.collect(),
        apps: frozen.apps,
        notes: progress.notes(),
    })
}

/// The engine to build with; none for the process runtime.
async fn choose(settings: &settings::Build, progress: &Progress) -> Result<Option<Engine>, Error> {
    if settings.runtime == Runtime::Process {
        return Ok(None);
    }
    match Engine::connect(settings).await {
        Ok(engine) => Ok(Some(engine)),
        Err(error) if settings.runtime == Runtime::Auto && error.is_absence() => {
            progress.note(format!("tests run as processes of this host: {error}"));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads the checkout; files of a commit are written to `staging` for it.
async fn freeze(
    settings: &settings::Build,
    cache: &Cache,
    staging: &Path,
    progress: &Progress,
) -> Result<Frozen, Error> {
    let listing = {
        let (path, committed) = (settings.path.clone(), settings.committed);
        let folder = staging.join("commit");
        blocking(move || source::list_or_export(&path, committed, &folder)).await?
    };
    // Before anything is read: a folder that is no project may be large.
    suites::check(&settings.path, &settings.config, &listing.names())?;
    let known = (!settings.committed).then(|| cache.known());
    let source = blocking(move || listing.read(known.as_deref())).await?;
    source.notes().into_iter().for_each(|note| progress.note(note));
    let Suites { suites, apps, notes } = suites::of(&settings.path, &settings.config, &source)?;
    notes.into_iter().for_each(|note| progress.note(note));
    let files = source.manifest.0.len();
    progress.say(&format!("read {files} files of {} apps", apps.len()));
    let config = settings.config.clone();
    Ok(Frozen {
        name: settings.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        environment: Environment { set: config.env.set.clone(), pass: config.env.pass.clone() },
        services: config.services(),
        config,
        source,
        suites,
        apps,
    })
}

/// Does what waits for the disk beside what waits for signals.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, source::Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|source| process::Error::Start { source: source.into() })??)
}

impl Frozen {
    /// The id of a snapshot of these files on a base: a digest of everything that decides how
    /// the tests behave.
    ///
    /// # Errors
    /// Never for what [`build`] makes; the id is checked all the same.
    pub fn id(&self, base: &[&str]) -> Result<SnapshotId, Error> {
        let settings = serde_json::to_string(&(&self.suites, &self.environment, &self.services))
            .map_err(|error| Error::Usage(error.to_string()))?;
        let digest = Digest::new("muletrain snapshot 2")
            .field(self.source.manifest.digest())
            .field(settings)
            .list(base)
            .finish();
        SnapshotId::new(digest).map_err(|error| Error::Usage(error.to_string()))
    }
}
