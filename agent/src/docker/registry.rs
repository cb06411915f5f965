//! The lower part of a snapshot's image, from the registry that the snapshot names.

use bollard::Docker;
use bollard::auth::DockerCredentials;
use bollard::query_parameters::{
    CreateImageOptionsBuilder, RemoveImageOptions, TagImageOptionsBuilder,
};
use futures_util::TryStreamExt;
use muletrain_proto::registry::{Credentials, make_readable};
use muletrain_proto::snapshot::Base;

use super::ACT;
use super::error::{self, within};
use super::fetch::{LOAD, REPOSITORY};

/// Why the registry did not give an image.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry or the engine says no, or cannot be reached.
    #[error("cannot pull {name}: {why}")]
    Pull {
        /// What was wanted.
        name: String,
        /// What the engine says.
        why: String,
    },
    /// It is another image.
    #[error("{name} is not image {image}")]
    Other {
        /// What was pulled.
        name: String,
        /// What it should have been.
        image: String,
    },
    /// The engine does not do its part.
    #[error(transparent)]
    Engine(#[from] Box<error::Error>),
}

/// Pulls an image, and sees that it is the one that is meant. `engine` is patient.
pub(super) async fn pull(engine: &Docker, base: &Base) -> Result<(), Error> {
    let name = base.reference.to_string();
    let failed = |why: String| Error::Pull { name: name.clone(), why };
    let options = CreateImageOptionsBuilder::default().from_image(&name).build();
    let credentials = credentials(base.reference.repository().host()).await;
    let pull = engine.create_image(Some(options), None, credentials);
    match tokio::time::timeout(LOAD, pull.try_for_each(|_| async { Ok(()) })).await {
        Ok(pulled) => pulled.map_err(|error| failed(error::said(&error)))?,
        Err(_) => return Err(failed(format!("it took more than {} s", LOAD.as_secs()))),
    }
    let what = || format!("inspect image {name}");
    let found = within(ACT, what, engine.inspect_image(&name)).await.map_err(Box::new)?;
    if found.id.as_ref() != Some(&base.image) {
        // It is of no use to anybody.
        let _ = engine.remove_image(&name, None::<RemoveImageOptions>, None).await;
        return Err(Error::Other { name, image: base.image.clone() });
    }
    // As everything that is fetched is called, so that it can be told and removed.
    let tag = base.image.trim_start_matches("sha256:");
    let options = TagImageOptionsBuilder::default().repo(REPOSITORY).tag(tag).build();
    let call = engine.tag_image(&base.image, Some(options));
    within(ACT, || format!("name image {}", base.image), call).await.map_err(Box::new)?;
    Ok(())
}

/// What `docker login` has kept on this host for a registry, as the engine is told it.
async fn credentials(host: &str) -> Option<DockerCredentials> {
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
