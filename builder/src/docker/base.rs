//! The base of a snapshot: an image with the project's dependencies.

use std::collections::HashMap;
use std::path::Path;

use bollard::query_parameters::BuildImageOptionsBuilder;
use futures_util::TryStreamExt;
use muletrain_proto::config::Image as Configured;
use tokio_util::io::ReaderStream;

use super::container::{Access, Container, config_of};
use super::engine::{Engine, Image, WORK, said};
use super::{Error, LABEL, recipe};
use crate::build::Frozen;
use crate::progress::Progress;
use crate::pure::build_context::Ignored;
use crate::pure::dependencies::{self, Recipe};
use crate::pure::digest::Digest;
use crate::pure::python_version;
use crate::source::archive::{self, Owner};

/// Image that is taken where the project says nothing of the Python it wants.
const DEFAULT_PYTHON: &str = "3.12";

/// Repository of bases, tagged by their keys.
const BASES: &str = "muletrain-base";

/// Repository of what Dockerfiles build, tagged by their keys.
const BUILT: &str = "muletrain-dockerfile";

/// Characters of a digest that name an image.
pub(super) const SHORT_KEY: usize = 32;

/// An image with the project's dependencies.
#[derive(Debug)]
pub(super) struct Base {
    /// The image.
    pub image: Image,
    /// Where the project goes in it.
    pub root: String,
    /// Who tests run as, as named by the configuration or the image.
    pub user: String,
}

impl Base {
    /// What of the base decides how tests behave.
    pub(super) fn identity<'a>(&'a self, configured: &'a Configured) -> Vec<&'a str> {
        let fixed = ["docker", &self.image.id, &self.root, &self.user];
        fixed.into_iter().chain(configured.prepare.iter().map(String::as_str)).collect()
    }
}

/// Finds or makes the base of a project.
pub(super) async fn prepare(
    engine: &Engine,
    frozen: &Frozen,
    staging: &Path,
    progress: &Progress,
) -> Result<Base, Error> {
    let configured = &frozen.config.image;
    let (image, commands) = match (&configured.dockerfile, &configured.base) {
        (Some(path), _) => {
            let image = build(engine, frozen, path, staging, progress).await?;
            (image, configured.install.clone())
        }
        (None, Some(name)) => {
            (engine.image_or_pull(name, progress).await?, configured.install.clone())
        }
        (None, None) => {
            let (name, commands) = work_out(frozen, progress);
            (engine.image_or_pull(&name, progress).await?, commands)
        }
    };
    let root = root(configured, &image);
    let user = user(configured, &image);
    let image = install(engine, frozen, image, &commands, &root, staging, progress).await?;
    Ok(Base { image, root, user })
}

/// Chooses an image and commands for a project that configures neither, and says why.
fn work_out(frozen: &Frozen, progress: &Progress) -> (String, Vec<String>) {
    let texts = frozen.texts(&frozen.source.folder, &dependencies::SPEAKING);
    let configured = frozen.config.project.python.as_deref().and_then(python_version::pinned);
    let (version, why) = match (configured, dependencies::python(&texts)) {
        (Some(version), _) => (version, "[project] python".to_owned()),
        (None, Some((version, file))) => (version, file.to_owned()),
        (None, None) => (DEFAULT_PYTHON.to_owned(), "nothing else is said".to_owned()),
    };
    let image = format!("python:{version}-slim");
    progress.note(format!("no [image] is configured: the base is {image} ({why})"));
    if !frozen.config.image.install.is_empty() {
        return (image, frozen.config.image.install.clone());
    }
    let Recipe { commands, reason } = dependencies::recipe(frozen.source.manifest.texts(), &texts);
    match reason {
        Some(reason) => {
            progress.note(format!("dependencies come from {reason}: {}", commands.join(", ")));
        }
        None => progress.note("the project has no lock or requirements file: nothing is installed"),
    }
    (image, commands)
}

fn root(configured: &Configured, image: &Image) -> String {
    let working_dir = image.config.working_dir.as_deref();
    let own = working_dir.filter(|path| path.starts_with('/') && *path != "/");
    let root = configured.root.as_deref().or(own).unwrap_or("/app");
    root.trim_end_matches('/').to_owned()
}

/// The configured user, else the image's if that is not root, else the first ordinary one.
fn user(configured: &Configured, image: &Image) -> String {
    let own = image.config.user.as_deref().filter(|user| {
        let name = user.split(':').next().unwrap_or_default();
        !name.is_empty() && name != "root" && name.parse() != Ok(0)
    });
    configured.user.as_deref().or(own).unwrap_or("1000:1000").to_owned()
}

/// Installs packages and dependencies, unless an image made of the same is there.
async fn install(
    engine: &Engine,
    frozen: &Frozen,
    image: Image,
    commands: &[String],
    root: &str,
    staging: &Path,
    progress: &Progress,
) -> Result<Image, Error> {
    let bundle = recipe::bundle(frozen.config.image.ca_bundle.as_deref())?;
    let packages = recipe::packages(&frozen.config.image.packages, bundle.as_deref());
    if packages.is_none() && commands.is_empty() {
        return Ok(image);
    }
    let files = frozen.source.manifest.only(|path| dependencies::reads(commands, path));
    let key = Digest::new("muletrain base 1")
        .field(&image.id)
        .list(&frozen.config.image.packages)
        .list(commands)
        .field(root)
        .field(files.digest())
        .finish();
    let tag = &key[..SHORT_KEY];
    if let Some(made) = engine.image(&format!("{BASES}:{tag}")).await? {
        return Ok(made);
    }
    let access = Access { network: true, bundle: bundle.as_deref() };
    let environment = recipe::environment(bundle.as_deref());
    let container = Container::start(engine, &image, &access).await?;
    let work = async {
        let (folder, owner) = (&frozen.source.folder, Owner::default());
        container.upload(&files, folder, Path::new(root), owner, staging).await?;
        for command in packages.iter().chain(commands) {
            progress.say(command);
            container.step(command, "0:0", root, &environment).await?;
        }
        let labels = HashMap::from([("muletrain.base".to_owned(), key.clone())]);
        container.commit(config_of(&image, labels), BASES, tag).await
    };
    let result = work.await;
    container.remove().await?;
    result?;
    engine.image(&format!("{BASES}:{tag}")).await?.ok_or_else(|| Error::NoImage {
        image: format!("{BASES}:{tag}"),
        why: "the engine lost it again".to_owned(),
    })
}

/// Builds the project's Dockerfile, unless an image built of the same context is there.
async fn build(
    engine: &Engine,
    frozen: &Frozen,
    path: &str,
    staging: &Path,
    progress: &Progress,
) -> Result<Image, Error> {
    let source = &frozen.source;
    if !source.manifest.has_file(path) {
        return Err(Error::NoDockerfile { path: path.to_owned() });
    }
    let own_rules = format!("{path}.dockerignore");
    let rules = frozen.texts(&source.folder, &[&own_rules, ".dockerignore"]);
    let rules = rules.get(&own_rules).or_else(|| rules.get(".dockerignore"));
    let ignored = Ignored::read(rules.map_or("", String::as_str))?;
    let context = source.manifest.only(|file| file == Path::new(path) || !ignored.matches(file));
    let configured = &frozen.config.image;
    let target = configured.target.as_deref().unwrap_or_default();
    let arguments = configured.build_args.iter().flat_map(|(name, value)| [name, value]);
    let key = Digest::new("muletrain dockerfile 1")
        .field(context.digest())
        .field(path)
        .field(target)
        .list(arguments)
        .finish();
    let name = format!("{BUILT}:{}", &key[..SHORT_KEY]);
    if let Some(image) = engine.image(&name).await? {
        return Ok(image);
    }
    progress.say(&format!("building {path}"));
    let failed = |source| Error::Archive { path: staging.to_owned(), source };
    let archive = tempfile::tempfile_in(staging).map_err(failed)?;
    let out = std::io::BufWriter::new(&archive);
    archive::write(&context, &source.folder, Path::new(""), Owner::default(), out)
        .map_err(failed)?;
    std::io::Seek::rewind(&mut &archive).map_err(failed)?;
    // The engine knows the proxies' names and keeps their values out of the image's history.
    let proxies =
        recipe::reach().into_iter().filter(|(name, _)| name.to_lowercase().ends_with("_proxy"));
    let arguments = configured.build_args.clone().into_iter();
    let arguments = proxies.map(|(name, value)| (name.to_owned(), value)).chain(arguments);
    let arguments: HashMap<String, String> = arguments.collect();
    let labels = HashMap::from([(LABEL.to_owned(), muletrain_proto::VERSION.to_owned())]);
    let options = BuildImageOptionsBuilder::default()
        .dockerfile(path)
        .t(&name)
        .target(target)
        .buildargs(&arguments)
        .labels(&labels)
        .rm(true)
        .forcerm(true)
        .build();
    let body = bollard::body_try_stream(ReaderStream::new(tokio::fs::File::from_std(archive)));
    follow(engine.docker.build_image(options, None, Some(body)), path).await?;
    let lost =
        || Error::NoImage { image: name.clone(), why: "the engine lost it again".to_owned() };
    engine.image(&name).await?.ok_or_else(lost)
}

/// Follows a build to its end; shows its log where it fails.
async fn follow(
    build: impl futures_util::Stream<Item = Result<bollard::models::BuildInfo, bollard::errors::Error>>,
    path: &str,
) -> Result<(), Error> {
    let mut log = String::new();
    let ended = build.try_for_each(|line| {
        log += line.stream.as_deref().unwrap_or_default();
        let error = line.error_detail.and_then(|error| error.message);
        std::future::ready(match error {
            Some(error) => Err(bollard::errors::Error::DockerStreamError { error }),
            None => Ok(()),
        })
    });
    let why = match tokio::time::timeout(WORK, ended).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => said(&error),
        Err(_) => "it took more than an hour".to_owned(),
    };
    // Standard error may be closed; there is nowhere left to show it.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), log.as_bytes());
    Err(Error::Dockerfile { path: path.to_owned(), why })
}
