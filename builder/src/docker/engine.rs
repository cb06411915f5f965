//! The Docker Engine: reaching it, and its images. Every call has a deadline.

use std::io::{self, ErrorKind};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::errors::Error as Refused;
use bollard::models::{ImageConfig, ImageInspect};
use bollard::query_parameters::CreateImageOptionsBuilder;
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::TryStreamExt;
use tokio_util::io::ReaderStream;

use super::Error;
use crate::progress::Progress;
use crate::settings;

/// Limit of calls that only look something up.
pub(super) const SHORT: Duration = Duration::from_secs(15);

/// Limit of calls that change a container.
pub(super) const MEDIUM: Duration = Duration::from_secs(60);

/// Limit of calls that move a tree or an image.
pub(super) const LONG: Duration = Duration::from_secs(15 * 60);

/// Limit of what is done by commands of the project.
pub(super) const WORK: Duration = Duration::from_secs(60 * 60);

/// Where engines listen unless told otherwise; the second one, in `$XDG_RUNTIME_DIR`, without root.
const SOCKET: &str = "/var/run/docker.sock";

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
    /// `os/architecture`.
    pub platform: String,
    /// What its containers get.
    pub config: ImageConfig,
}

enum Address {
    Unix(PathBuf),
    Tcp(String),
}

impl Engine {
    /// Connects to the engine of a build; without an address, to the one of this host.
    ///
    /// # Errors
    /// When the address is none, nobody is there, or they do not answer.
    pub async fn connect(settings: &settings::Build) -> Result<Self, Error> {
        let address = settings.docker_host.as_deref().map_or_else(|| Ok(local_address()), parse)?;
        knock(&address)?;
        let seconds = WORK.as_secs();
        let docker = match &address {
            Address::Unix(path) => {
                Docker::connect_with_unix(&path.to_string_lossy(), seconds, API_DEFAULT_VERSION)
            }
            Address::Tcp(host) => Docker::connect_with_http(host, seconds, API_DEFAULT_VERSION),
        };
        let docker = within("connect", SHORT, async { docker }).await?;
        let docker = within("tell its version", SHORT, docker.negotiate_version()).await?;
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
        let pull = self.docker.create_image(Some(options.build()), None, None);
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
        let (os, architecture) = (image.os, image.architecture);
        Self {
            id: image.id.unwrap_or_default(),
            name: name.to_owned(),
            platform: format!(
                "{}/{}",
                os.as_deref().unwrap_or("linux"),
                architecture.as_deref().unwrap_or("unknown")
            ),
            config: image.config.unwrap_or_default(),
        }
    }

    /// The value of a label; empty where there is none.
    pub(super) fn label(&self, name: &str) -> &str {
        self.config.labels.as_ref().and_then(|labels| labels.get(name)).map_or("", String::as_str)
    }
}

/// Waits for a call of the engine, but not for ever.
pub(super) async fn within<T>(
    what: &'static str,
    limit: Duration,
    call: impl Future<Output = Result<T, Refused>>,
) -> Result<T, Error> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result.map_err(|source| Error::Engine { what, source }),
        Err(_) => Err(Error::Deadline { what, seconds: limit.as_secs() }),
    }
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

fn local_address() -> Address {
    let rootless =
        std::env::var_os("XDG_RUNTIME_DIR").map(|run| Path::new(&run).join("docker.sock"));
    match rootless.filter(|path| path.exists() && !Path::new(SOCKET).exists()) {
        Some(path) => Address::Unix(path),
        None => Address::Unix(PathBuf::from(SOCKET)),
    }
}

fn parse(host: &str) -> Result<Address, Error> {
    let wrong = || Error::Host { host: host.to_owned() };
    if let Some(path) = host.strip_prefix("unix://") {
        return Some(Path::new(path))
            .filter(|path| path.is_absolute())
            .map(|path| Address::Unix(path.to_owned()))
            .ok_or_else(wrong);
    }
    // Whoever can listen on the way to a plain TCP engine owns its host, so there must be no way.
    let rest = host.strip_prefix("tcp://").or_else(|| host.strip_prefix("http://"));
    let rest = rest.map(|rest| rest.trim_end_matches('/')).ok_or_else(wrong)?;
    let (name, _) = rest.rsplit_once(':').ok_or_else(wrong)?;
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let address = name.parse::<std::net::IpAddr>();
    match name == "localhost" || address.is_ok_and(|address| address.is_loopback()) {
        true => Ok(Address::Tcp(rest.to_owned())),
        false => Err(wrong()),
    }
}

/// Connects and hangs up, because only the bare connection tells absence from refusal.
fn knock(address: &Address) -> Result<(), Error> {
    let (host, result) = match address {
        Address::Unix(path) => {
            (format!("unix://{}", path.display()), UnixStream::connect(path).map(drop))
        }
        Address::Tcp(host) => (format!("tcp://{host}"), knock_tcp(host)),
    };
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

fn has_tag(name: &str) -> bool {
    name.contains('@') || name.rsplit('/').next().is_some_and(|last| last.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sockets_and_this_host_are_engines() {
        for host in ["unix:///run/docker.sock", "tcp://127.0.0.1:2375", "tcp://[::1]:2375/"] {
            assert!(parse(host).is_ok(), "{host}");
        }
        for host in
            ["", "unix://run", "tcp://10.0.0.1:2375", "tcp://localhost", "ssh://a", "tcp://"]
        {
            assert!(parse(host).is_err(), "{host}");
        }
    }

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
    fn a_port_of_a_registry_is_no_tag() {
        assert!(has_tag("python:3.12-slim"));
        assert!(has_tag("host:5000/a@sha256:00"));
        assert!(!has_tag("host:5000/python"));
    }
}
