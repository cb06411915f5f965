//! Building the project's Dockerfile.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::Path;

use bollard::errors::Error as Refused;
use bollard::models::BuildInfo;
use bollard::query_parameters::{BuildImageOptions, BuildImageOptionsBuilder};
use futures_util::{Stream, TryStreamExt};
use muletrain_proto::config::Image as Configured;

use super::engine::{Engine, Image, WORK, said, stream};
use super::{Error, LABEL, PROJECT, SHORT_KEY, recipe, root};
use crate::build::{Frozen, Place};
use crate::pure::digest::Digest;
use crate::pure::dockerfile::{self, Build};
use crate::pure::patterns::Patterns;
use crate::pure::tree::Manifest;
use crate::source::archive::Contents;

/// Repository of what Dockerfiles build, tagged by their keys.
const BUILT: &str = "muletrain-dockerfile";

/// Where the archive has a Dockerfile that is not the project's: no project has a file there.
const OWN: &str = ".muletrain/Dockerfile";

/// A Dockerfile as it is sent to the engine.
struct Sent {
    /// Its path.
    path: String,
    /// Its text, where it is not the project's.
    text: Option<String>,
    /// What it sees.
    files: Manifest,
}

/// Builds a Dockerfile, unless an image built of the same is there. Code that it only puts where
/// the project goes in any case is left out, so that a change of that builds nothing.
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
             build can be given no file but the project's; install what needs it with [image] \
             packages and install, or COPY the certificates"
        ));
    }
    let texts = frozen.source.texts([path])?;
    let root = configured.root.as_deref().map(root::normal);
    let wanted = Build {
        text: texts.get(path).map_or("", String::as_str),
        target: configured.target.as_deref(),
        arguments: &configured.build_args,
        root: root.as_deref(),
    };
    let bases = bases(engine, &wanted, place).await;
    let origins = bases.iter().map(|(name, image)| (name.clone(), image.origin())).collect();
    let ids: Vec<&str> = bases.values().map(|image| image.id.as_str()).collect();
    let plan = match configured.install.is_empty() {
        true => dockerfile::plan(&wanted, &context, &origins),
        // They may read what the Dockerfile puts there.
        false => None,
    };
    if let Some(plan) = plan {
        let sent = Sent { path: OWN.to_owned(), text: Some(plan.text), files: plan.files };
        let image = find_or_build(engine, frozen, path, &sent, &ids, place).await?;
        // In case the engine reads it otherwise.
        if root::Place::said(configured, &image).root == plan.root {
            return Ok(image);
        }
    }
    if let Some((copy, run)) = dockerfile::runs_after_copy(&wanted, &origins) {
        place.progress.say(&format!(
            "{path} is built again at every change of the code, since line {run} runs after line \
             {copy} has copied it; move that up, or into [image] prepare"
        ));
    }
    let sent = Sent { path: path.to_owned(), text: None, files: context };
    find_or_build(engine, frozen, path, &sent, &ids, place).await
}

async fn find_or_build(
    engine: &Engine,
    frozen: &Frozen,
    path: &str,
    sent: &Sent,
    bases: &[&str],
    place: &Place<'_>,
) -> Result<Image, Error> {
    let configured = &frozen.config.image;
    let name = format!("{BUILT}:{}", &sent.key(configured, bases)[..SHORT_KEY]);
    if let Some(image) = engine.image(&name).await? {
        return Ok(image);
    }
    place.progress.say(&format!("building {path}"));
    let text = sent.text.iter().map(|text| (Path::new(OWN), text.as_bytes()));
    let (files, further) = (sent.files.clone(), text.collect());
    let contents = Contents { files, further, ..Contents::new(Path::new("")) };
    let archive = contents.pack(&frozen.source, place.staging)?;
    let options = options(&sent.path, configured, &frozen.name, &name);
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
    let ignored = Patterns::read(rules.map_or("", String::as_str)).map_err(Error::Context)?;
    Ok(source.manifest.only(|file| file == Path::new(path) || !ignored.matches(file)))
}

/// The images that the Dockerfile starts from, by name, as far as they can be had: a name may
/// stand for another image by now.
async fn bases(engine: &Engine, wanted: &Build<'_>, place: &Place<'_>) -> BTreeMap<String, Image> {
    let mut images = BTreeMap::new();
    for name in dockerfile::images(wanted) {
        // Of a name that cannot be one, the build tells better.
        let image = engine.image_or_pull(&name, place.progress).await;
        images.extend(image.ok().map(|image| (name, image)));
    }
    images
}

impl Sent {
    /// Digest of everything that decides what is built, as far as this host knows it.
    fn key(&self, configured: &Configured, bases: &[&str]) -> String {
        Digest::new("muletrain dockerfile 3")
            .field(self.files.digest())
            .field(&self.path)
            .field(self.text.as_deref().unwrap_or_default())
            .field(configured.target.as_deref().unwrap_or_default())
            .list(configured.build_args.iter().flat_map(|(name, value)| [name, value]))
            .list(bases)
            .finish()
    }
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
