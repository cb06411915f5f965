//! The registry that bases are shared by: whoever makes a base first pushes it, and everybody else
//! takes it from there.
//!
//! It is the engine that pulls and pushes, so what an engine knows of registries, such as their
//! certificates and which of them may do without, holds here too.

use std::time::Duration;

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::errors::Error as Refused;
use bollard::query_parameters::{
    CreateImageOptionsBuilder, PushImageOptionsBuilder, TagImageOptionsBuilder,
};
use futures_util::{Stream, TryStreamExt};
use muletrain_proto::registry::{Credentials, Reference, Repository, make_readable};

use super::engine::{Engine, Image, MEDIUM, SHORT, WORK, said, within};

/// A repository, as an engine reaches it.
pub(super) struct Registry<'a> {
    engine: &'a Engine,
    repository: &'a Repository,
    credentials: Option<DockerCredentials>,
}

/// Why a registry is of no use. The build goes on without.
#[derive(Debug, thiserror::Error)]
#[error("the registry at {host} cannot be used: {why}")]
pub(super) struct Unusable {
    host: String,
    why: String,
}

impl<'a> Registry<'a> {
    pub(super) async fn new(engine: &'a Engine, repository: &'a Repository) -> Self {
        let credentials = credentials(repository.host()).await;
        Self { engine, repository, credentials }
    }

    /// Gets an image by its tag; none where the registry has none of that.
    pub(super) async fn take(&self, tag: &str) -> Result<Option<Image>, Unusable> {
        let name = self.repository.tagged(tag);
        if self.look_up(&name).await?.is_none() {
            return Ok(None);
        }
        let options = CreateImageOptionsBuilder::default().from_image(&name).build();
        let docker = &self.engine.docker;
        let pull = docker.create_image(Some(options), None, self.credentials.clone());
        self.follow(pull).await?;
        self.engine.image(&name).await.map_err(|error| self.unusable(&error))
    }

    /// Gives it an image under a tag; returns where it is from then on.
    pub(super) async fn give(&self, image: &Image, tag: &str) -> Result<Reference, Unusable> {
        self.name(image, &self.repository.to_string(), tag).await?;
        let options = PushImageOptionsBuilder::default().tag(tag).build();
        let repository = self.repository.to_string();
        let docker = &self.engine.docker;
        let push = docker.push_image(&repository, Some(options), self.credentials.clone());
        self.follow(push).await?;
        let found = self.engine.image(&image.id).await.map_err(|error| self.unusable(&error))?;
        let reference = found.and_then(|image| self.repository.find(&image.references));
        reference.ok_or_else(|| self.unusable(&"it took the image and did not say as what"))
    }

    /// Whether it has an image.
    pub(super) async fn has(&self, reference: &Reference) -> Result<bool, Unusable> {
        Ok(self.look_up(&reference.to_string()).await?.is_some())
    }

    /// Names an image of the engine.
    pub(super) async fn name(
        &self,
        image: &Image,
        repository: &str,
        tag: &str,
    ) -> Result<(), Unusable> {
        let options = TagImageOptionsBuilder::default().repo(repository).tag(tag).build();
        let call = self.engine.docker.tag_image(&image.id, Some(options));
        within("name an image", MEDIUM, call).await.map_err(|error| self.unusable(&error))
    }

    /// What it has of a name. One that refuses to say so to this user may still take it.
    async fn look_up(&self, name: &str) -> Result<Option<()>, Unusable> {
        let call = self.engine.docker.inspect_registry_image(name, self.credentials.clone());
        match tokio::time::timeout(SHORT, call).await {
            Ok(Ok(_)) => Ok(Some(())),
            Ok(Err(Refused::DockerResponseServerError {
                status_code: 401 | 403 | 404, ..
            })) => Ok(None),
            Ok(Err(error)) => Err(self.unusable(&said(&error))),
            Err(_) => Err(self.late(SHORT)),
        }
    }

    async fn follow<T>(
        &self,
        lines: impl Stream<Item = Result<T, Refused>>,
    ) -> Result<(), Unusable> {
        let ended = lines.try_for_each(|_| async { Ok(()) });
        match tokio::time::timeout(WORK, ended).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.unusable(&said(&error))),
            Err(_) => Err(self.late(WORK)),
        }
    }

    fn late(&self, limit: Duration) -> Unusable {
        self.unusable(&format!("it took more than {} s", limit.as_secs()))
    }

    fn unusable(&self, why: &dyn std::fmt::Display) -> Unusable {
        Unusable { host: self.repository.host().to_owned(), why: why.to_string() }
    }
}

/// Whether a registry has an image, as far as an engine can tell; else why it is of no use.
pub async fn has(engine: &Engine, reference: &Reference) -> Result<bool, String> {
    let registry = Registry::new(engine, reference.repository()).await;
    registry.has(reference).await.map_err(|error| error.to_string())
}

/// What `docker login` has kept on this host for a registry, as the engine is told it.
pub(super) async fn credentials(host: &str) -> Option<DockerCredentials> {
    let serveraddress = Some(host.to_owned());
    let kept = DockerCredentials { serveraddress, ..DockerCredentials::default() };
    Some(match Credentials::of(host).await? {
        Credentials::User { name, password } => {
            DockerCredentials { username: Some(name), password: Some(password), ..kept }
        }
        Credentials::Token(token) => DockerCredentials { identitytoken: Some(token), ..kept },
    })
}

/// The same client with credentials that engines can read.
pub(super) fn telling_who_asks(client: Docker) -> Docker {
    client.with_request_modifier(|mut request| {
        make_readable(request.headers_mut());
        request
    })
}
