//! The Docker Engine: reaching it, and its images. Every call has a deadline.

use std::io::{self, ErrorKind};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::{Duration, SystemTime};

use bollard::errors::Error as Refused;
use bollard::models::{ImageConfig, ImageInspect};
use bollard::query_parameters::CreateImageOptionsBuilder;
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::TryStreamExt;
use muletrain_proto::docker_host::{self, Endpoint};
use tokio_util::io::ReaderStream;

use super::{Error, registry};
use crate::progress::Progress;
use crate::pure::dockerfile::Origin;
use crate::pure::image::{Config, Nothing, Parts};
use crate::settings;

/// Limit of calls that only look something up.
pub(super) const SHORT: Duration = Duration::from_secs(15);

/// Limit of calls that change a container.
pub(super) const MEDIUM: Duration = Duration::from_secs(60);

/// Limit of calls that move a tree or an image.
pub(super) const LONG: Duration = Duration::from_secs(15 * 60);

/// Limit of what is done by commands of the project.
pub(super) const WORK: Duration = Duration::from_secs(60 * 60);

/// A Docker Engine.
#[derive(Debug)]
pub struct Engine {
    pub(super) docker: Docker,
    /// What this builder's containers are called, before a dash.
    pub(super) builder: String,
}

/// An image of the engine.
#[derive(Debug, Clone, Default)]
pub(super) struct Image {
    /// `sha256:…`.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// `linux`.
    pub os: String,
    /// `amd64` and the like.
    pub architecture: String,
    /// Its variant, such as `v8`.
    pub variant: Option<String>,
    /// Digests of its layers, the lowest first.
    pub layers: Vec<String>,
    /// What registries have it as.
    pub references: Vec<String>,
    /// When it got its name on this engine.
    pub tagged: Option<SystemTime>,
    /// What its containers get.
    pub config: ImageConfig,
}

impl Engine {
    /// Connects to the engine of a build; without an address, to the one of this host.
    ///
    /// # Errors
    /// When the address is none, nobody is there, or they do not answer.
    pub async fn connect(settings: &settings::Build) -> Result<Self, Error> {
        let endpoint = match settings.docker_host.as_deref() {
            Some(host) => docker_host::parse(host, false)?,
            None => docker_host::local(),
        };
        knock(&endpoint)?;
        let seconds = WORK.as_secs();
        let docker = match &endpoint {
            Endpoint::Unix(path) => {
                Docker::connect_with_unix(&path.to_string_lossy(), seconds, API_DEFAULT_VERSION)
            }
            Endpoint::Tcp(host) => Docker::connect_with_http(host, seconds, API_DEFAULT_VERSION),
        };
        let docker = within("connect", SHORT, async { docker }).await?;
        let docker = within("tell its version", SHORT, docker.negotiate_version()).await?;
        let docker = registry::telling_who_asks(docker);
        Ok(Self { docker, builder: settings.builder.clone() })
    }

    /// Looks an image up; none where the engine does not have it.
    pub(super) async fn image(&self, name: &str) -> Result<Option<Image>, Error> {
        let call = async {
            match self.docker.inspect_image(name).await {
                Err(Refused::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
                result => result.map(Some),
            }
        };
        let found = within("look an image up", SHORT, call).await?;
        Ok(found.map(|image| Image::new(name, image)))
    }

    /// Looks an image up, and pulls it where the engine does not have it.
    pub(super) async fn image_or_pull(
        &self,
        name: &str,
        progress: &Progress,
    ) -> Result<Image, Error> {
        if let Some(image) = self.image(name).await? {
            return Ok(image);
        }
        progress.say(&format!("pulling {name}"));
        let options = CreateImageOptionsBuilder::default().from_image(name);
        // Without a tag the engine would pull all there are.
        let options = if has_tag(name) { options } else { options.tag("latest") };
        let credentials = registry::credentials(registry_of(name)).await;
        let pull = self.docker.create_image(Some(options.build()), None, credentials);
        let pulled = tokio::time::timeout(WORK, pull.try_for_each(|_| async { Ok(()) })).await;
        let missing = |why: String| Error::NoImage { image: name.to_owned(), why };
        match pulled {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(missing(said(&error))),
            Err(_) => return Err(missing("it took more than an hour".to_owned())),
        }
        self.image(name).await?.ok_or_else(|| Error::Lost { image: name.to_owned() })
    }
}

impl Image {
    fn new(name: &str, image: ImageInspect) -> Self {
        Self {
            id: image.id.unwrap_or_default(),
            name: name.to_owned(),
            os: image.os.unwrap_or_else(|| "linux".to_owned()),
            architecture: image.architecture.unwrap_or_else(|| "unknown".to_owned()),
            variant: image.variant.filter(|variant| !variant.is_empty()),
            tagged: image.metadata.and_then(|it| it.last_tag_time).and_then(|time| moment(&time)),
            layers: image.root_fs.and_then(|it| it.layers).unwrap_or_default(),
            references: image.repo_digests.unwrap_or_default(),
            config: image.config.unwrap_or_default(),
        }
    }

    /// `os/architecture`.
    pub(super) fn platform(&self) -> String {
        format!("{}/{}", self.os, self.architecture)
    }

    /// What it gives to a Dockerfile that starts from it.
    pub(super) fn origin(&self) -> Origin {
        let config = &self.config;
        Origin {
            folder: config.working_dir.clone().unwrap_or_default(),
            environment: config.env.clone().unwrap_or_default(),
            has_triggers: config.on_build.as_ref().is_some_and(|it| !it.is_empty()),
        }
    }

    /// What an image on top of it is made of.
    pub(super) fn parts(&self) -> Parts {
        let config = self.config.clone();
        let set = |names: Option<Vec<String>>| {
            names.unwrap_or_default().into_iter().map(|name| (name, Nothing {})).collect()
        };
        Parts {
            architecture: self.architecture.clone(),
            variant: self.variant.clone(),
            os: self.os.clone(),
            layers: self.layers.clone(),
            config: Config {
                user: config.user.unwrap_or_default(),
                exposed_ports: set(config.exposed_ports),
                env: config.env.unwrap_or_default(),
                entrypoint: config.entrypoint.unwrap_or_default(),
                cmd: config.cmd.unwrap_or_default(),
                volumes: set(config.volumes),
                working_dir: config.working_dir.unwrap_or_default(),
                healthcheck: config.healthcheck.and_then(|it| serde_json::to_value(it).ok()),
                stop_signal: config.stop_signal,
                shell: config.shell.unwrap_or_default(),
                on_build: config.on_build.unwrap_or_default(),
                labels: config.labels.unwrap_or_default().into_iter().collect(),
            },
        }
    }

    /// The value of a label; empty where there is none.
    pub(super) fn label(&self, name: &str) -> &str {
        self.config.labels.as_ref().and_then(|labels| labels.get(name)).map_or("", String::as_str)
    }
}

fn moment(text: &str) -> Option<SystemTime> {
    text.parse::<jiff::Timestamp>().ok().map(SystemTime::from)
}

/// Waits for a call of the engine, but not for ever.
pub(super) async fn within<T>(
    what: &'static str,
    limit: Duration,
    call: impl Future<Output = Result<T, Refused>>,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, call).await {
        Ok(Err(source)) if is_cut(&source) => Err(Error::Gone { what, source }),
        Ok(result) => result.map_err(|source| Error::Engine { what, source }),
        Err(_) => Err(Error::Deadline { what, seconds: limit.as_secs() }),
    }
}

/// Whether the connection broke, or there was none: all else is an answer of the engine.
fn is_cut(error: &Refused) -> bool {
    matches!(
        error,
        Refused::HyperLegacyError { .. }
            | Refused::HyperResponseError { .. }
            | Refused::IOError { .. }
    )
}

/// A file, to be sent as the body of a request.
pub(super) fn stream(file: std::fs::File) -> ReaderStream<tokio::fs::File> {
    ReaderStream::new(tokio::fs::File::from_std(file))
}

/// What the engine says, without what the library says of it.
pub(super) fn said(error: &Refused) -> String {
    match error {
        Refused::DockerResponseServerError { message, .. } => message.clone(),
        Refused::DockerStreamError { error } => error.clone(),
        error => error.to_string(),
    }
}

/// Connects and hangs up, because only the bare connection tells absence from refusal.
fn knock(endpoint: &Endpoint) -> Result<(), Error> {
    let result = match endpoint {
        Endpoint::Unix(path) => UnixStream::connect(path).map(drop),
        Endpoint::Tcp(host) => knock_tcp(host),
    };
    let host = endpoint.to_string();
    result.map_err(|source| match source.kind() {
        ErrorKind::PermissionDenied => Error::Denied { host, source },
        _ => Error::Absent { host, source },
    })
}

fn knock_tcp(host: &str) -> io::Result<()> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in host.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, SHORT) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The host of the registry that an engine pulls an image from.
fn registry_of(name: &str) -> &str {
    match name.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

fn has_tag(name: &str) -> bool {
    name.contains('@') || name.rsplit('/').next().is_some_and(|last| last.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_engine_that_hangs_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("docker.sock");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let settings = settings::Build {
            docker_host: Some(format!("unix://{}", path.display())),
            ..settings::Build::default()
        };
        let error = Engine::connect(&settings).await.unwrap_err();
        assert!(!error.is_absence());
        insta::assert_snapshot!(error, @"the Docker Engine took more than 15 s to tell its version; is it overloaded?");
    }

    #[test]
    fn credentials_are_those_of_the_registry_that_is_asked() {
        assert_eq!(registry_of("python:3.12-slim"), "docker.io");
        assert_eq!(registry_of("team/python"), "docker.io");
        assert_eq!(registry_of("host:5000/a@sha256:00"), "host:5000");
        assert_eq!(registry_of("localhost/a"), "localhost");
    }

    #[test]
    fn a_port_of_a_registry_is_no_tag() {
        assert!(has_tag("python:3.12-slim"));
        assert!(has_tag("host:5000/a@sha256:00"));
        assert!(!has_tag("host:5000/python"));
    }
}
