//! Building the project's Dockerfile.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;

use bollard::errors::Error as Refused;
use bollard::models::BuildInfo;
use bollard::query_parameters::{BuildImageOptions, BuildImageOptionsBuilder};
use futures_util::{Stream, TryStreamExt};
use muletrain_proto::config::Image as Configured;

use super::engine::{Engine, Image, WORK, said, stream};
use super::{Error, LABEL, PROJECT, SHORT_KEY, recipe};
use crate::build::{Frozen, Place};
use crate::pure::build_context::Ignored;
use crate::pure::digest::Digest;
use crate::pure::from_lines;
use crate::pure::tree::Manifest;
use crate::source::archive::Contents;

/// Repository of what Dockerfiles build, tagged by their keys.
const BUILT: &str = "muletrain-dockerfile";

/// Builds a Dockerfile, unless an image built of the same context is there.
pub(super) async fn build(
    engine: &Engine,
    frozen: &Frozen,
    path: &str,
    place: &Place<'_>,
) -> Result<Image, Error> {
    let context = context(frozen, path)?;
    let configured = &frozen.config.image;
    if configured.ca_bundle.is_some() {
        place.progress.note(format!(
            "[image] ca_bundle is for the install steps: the steps of {path} do not see it, since a \
             build can be given no file but the project's"
        ));
    }
    let bases = bases(engine, frozen, path).await?;
    let name = format!("{BUILT}:{}", &key(&context, path, configured, &bases)[..SHORT_KEY]);
    if let Some(image) = engine.image(&name).await? {
        return Ok(image);
    }
    place.progress.say(&format!("building {path}"));
    let contents = Contents { files: context, ..Contents::new(Path::new("")) };
    let archive = contents.pack(&frozen.source, place.staging)?;
    let options = options(path, configured, &frozen.name, &name);
    let body = bollard::body_try_stream(stream(archive));
    follow(engine.docker.build_image(options, None, Some(body)), path).await?;
    engine.image(&name).await?.ok_or(Error::Lost { image: name })
}

/// The files that the Dockerfile may see.
fn context(frozen: &Frozen, path: &str) -> Result<Manifest, Error> {
    let source = &frozen.source;
    if !source.manifest.has_file(path) {
        return Err(Error::NoDockerfile { path: path.to_owned() });
    }
    let own_rules = format!("{path}.dockerignore");
    let rules = source.texts([own_rules.as_str(), ".dockerignore"])?;
    let rules = rules.get(&own_rules).or_else(|| rules.get(".dockerignore"));
    let ignored = Ignored::read(rules.map_or("", String::as_str))?;
    Ok(source.manifest.only(|file| file == Path::new(path) || !ignored.matches(file)))
}

/// Ids of the images that the Dockerfile starts from, as far as the engine has them: a name may
/// stand for another image by now.
async fn bases(engine: &Engine, frozen: &Frozen, path: &str) -> Result<Vec<String>, Error> {
    let texts = frozen.source.texts([path])?;
    let text = texts.get(path).map_or("", String::as_str);
    let mut ids = Vec::new();
    for name in from_lines::images(text) {
        // Of a name that cannot be one, the build tells better.
        let image = engine.image(&name).await.ok().flatten();
        ids.extend(image.map(|image| image.id));
    }
    Ok(ids)
}

fn key(context: &Manifest, path: &str, configured: &Configured, bases: &[String]) -> String {
    Digest::new("muletrain dockerfile 2")
        .field(context.digest())
        .field(path)
        .field(configured.target.as_deref().unwrap_or_default())
        .list(configured.build_args.iter().flat_map(|(name, value)| [name, value]))
        .list(bases)
        .finish()
}

fn options(path: &str, configured: &Configured, project: &str, name: &str) -> BuildImageOptions {
    // The engine knows the proxies' names and keeps their values out of the image's history.
    let is_proxy = |name: &str| name.to_ascii_lowercase().ends_with("_proxy");
    let proxies = recipe::reach().into_iter().filter(|(name, _)| is_proxy(name));
    let arguments: HashMap<String, String> = proxies
        .map(|(name, value)| (name.to_owned(), value))
        .chain(configured.build_args.clone())
        .collect();
    let labels = [(LABEL, muletrain_proto::VERSION), (PROJECT, project)];
    let labels: HashMap<_, _> =
        labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    BuildImageOptionsBuilder::default()
        .dockerfile(path)
        .t(name)
        .target(configured.target.as_deref().unwrap_or_default())
        .buildargs(&arguments)
        .labels(&labels)
        .rm(true)
        .forcerm(true)
        .build()
}

/// Follows a build to its end; shows its log where it fails.
async fn follow(
    build: impl Stream<Item = Result<BuildInfo, Refused>>,
    path: &str,
) -> Result<(), Error> {
    let mut log = String::new();
    let ended = build.try_for_each(|line| {
        log += line.stream.as_deref().unwrap_or_default();
        let error = line.error_detail.and_then(|error| error.message);
        std::future::ready(match error {
            Some(error) => Err(Refused::DockerStreamError { error }),
            None => Ok(()),
        })
    });
    let why = match tokio::time::timeout(WORK, ended).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => said(&error),
        Err(_) => "it took more than an hour".to_owned(),
    };
    // Standard error may be closed; there is nowhere left to show it.
    let _ = std::io::stderr().write_all(log.as_bytes());
    Err(Error::Dockerfile { path: path.to_owned(), why })
}
