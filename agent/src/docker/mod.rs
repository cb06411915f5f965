//! Pods as containers; nothing else in the agent knows the Docker Engine.
//!
//! Everything carries labels, and everything is removed by label alone. Every call has a deadline.

mod body;
mod connection;
mod error;
mod fetch;
mod kept;
mod registry;
mod service;
mod tests_container;
pub mod travel;

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::models::ContainerSummary;
use bollard::query_parameters::{
    KillContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};
use futures_util::future::{join_all, try_join, try_join_all};
use muletrain_proto::client::Address;
use muletrain_proto::docker_host::Endpoint;
use muletrain_proto::id::LeaseKey;
use muletrain_proto::link::RunBrief;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::Base;

pub use connection::Facts;
pub use error::Error;
use error::within;
use fetch::Fetch;
use service::Service;

use crate::package::BOOTSTRAP;
use crate::pod::Pod;
use crate::pure::pod::{self, Container, Owner, Role, label};
use crate::runtime;

/// Time for a question.
const ASK: Duration = Duration::from_secs(5);

/// Time for anything that changes the engine's state.
const ACT: Duration = Duration::from_secs(30);

/// How long a run without a limit of its own may be at most, for the deadline label.
const LONGEST_RUN: Duration = Duration::from_secs(24 * 3600);

/// An engine, and who asks it.
#[derive(Debug)]
pub struct Docker {
    engine: bollard::Docker,
    endpoint: Endpoint,
    owner: Owner,
    fetch: Option<Fetch>,
}

impl Docker {
    /// Connects to an engine.
    ///
    /// # Errors
    /// When none answers there.
    pub async fn connect(endpoint: &Endpoint, owner: Owner) -> Result<Self, Error> {
        let engine = connection::open(endpoint).await?;
        Ok(Self { engine, endpoint: endpoint.clone(), owner, fetch: None })
    }

    /// The same engine, and a scheduler that has the images which it lacks.
    #[must_use]
    pub fn with_images_from(self, scheduler: Address) -> Self {
        Self { fetch: Some(Fetch::new(&self.engine, scheduler)), ..self }
    }

    /// What the engine says of itself.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn facts(&self) -> Result<Facts, Error> {
        connection::facts(&self.engine).await
    }

    /// Starts the pod of a lease: services until they are ready, then the tests.
    ///
    /// # Errors
    /// When the snapshot does not fit, or an image, a service or the engine fails.
    pub async fn start(&self, lease: &LeaseKey, brief: &RunBrief) -> Result<Pod, runtime::Error> {
        let limit = brief.options.timeout.map_or(LONGEST_RUN, Seconds::duration);
        let deadline = SystemTime::now() + limit.min(LONGEST_RUN);
        let deadline = deadline.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let containers = pod::containers(lease, brief, &self.owner, deadline, BOOTSTRAP)?;
        Ok(self.start_containers(&containers).await?)
    }

    async fn start_containers(&self, containers: &[Container]) -> Result<Pod, Error> {
        let mut services = Vec::new();
        match self.start_in_turn(containers, &mut services).await {
            // No container can join a pod whose first one is gone, and that one's end says why.
            Err(error) if error.status() == Some(409) => {
                let ends = services.iter().map(|service| service.ended_early(&self.engine));
                Err(join_all(ends).await.into_iter().flatten().next().unwrap_or(error))
            }
            result => result,
        }
    }

    async fn start_in_turn(
        &self,
        containers: &[Container],
        services: &mut Vec<Service>,
    ) -> Result<Pod, Error> {
        let Some((tests, platform, base)) = containers.iter().find_map(tests) else {
            return Err(Error::Empty);
        };
        self.have_image(&tests.image, platform, base).await?;
        let first = containers.first().map(|container| container.name.as_str());
        for container in containers {
            match &container.role {
                Role::Service { name, image, ready, limit } => {
                    let known = self.have_service_image(image.as_deref(), platform).await?;
                    let image = known.unwrap_or(&container.image);
                    let image = service::image(&self.engine, name, image).await?;
                    let service = Service {
                        name: name.clone(),
                        container: self.create(container, image, first).await?,
                        ready: ready.clone(),
                        limit: *limit,
                        probe: None,
                    };
                    service.start(&self.engine).await?;
                    services.push(service);
                }
                Role::Probe => {
                    let id = self.create(container, container.image.clone(), first).await?;
                    if let Some(service) = services.last_mut() {
                        service.start_probe(&self.engine, &id).await?;
                    }
                }
                Role::Tests { .. } => {}
            }
        }
        let ready = services.iter().map(|service| service.wait_until_ready(&self.engine));
        let created = self.create(tests, tests.image.clone(), first);
        let (_, id) = try_join(try_join_all(ready), created).await?;
        tests_container::start(&self.engine, id, services.clone()).await
    }

    /// Sees to it that the engine has an image, of which a registry may have the base.
    async fn have_image(
        &self,
        image: &str,
        platform: &str,
        base: Option<&Base>,
    ) -> Result<(), Error> {
        let checked = tests_container::check_image(&self.engine, image, platform).await;
        let (Err(Error::NoImage { .. }), Some(fetch)) = (&checked, &self.fetch) else {
            return checked;
        };
        let Ok(digest) = image.parse() else { return checked };
        let engine = self.facts().await?.platform;
        if engine != platform {
            let (image, platform) = (image.to_owned(), platform.to_owned());
            return Err(Error::OtherPlatform { image, platform, engine });
        }
        match fetch.image(digest, base).await {
            Ok(()) => tests_container::check_image(&self.engine, image, platform).await,
            Err(error) if error.is_absence_of(digest) => checked,
            Err(source) => {
                let (image, endpoint) = (image.to_owned(), self.endpoint.clone());
                Err(Error::Fetch { image, endpoint, source })
            }
        }
    }

    /// Sees to it that the engine has just the image of a service that the builder saw; none where
    /// that cannot be had, and what this engine calls by its name has to do.
    async fn have_service_image<'a>(
        &self,
        image: Option<&'a str>,
        platform: &str,
    ) -> Result<Option<&'a str>, Error> {
        let Some(image) = image else { return Ok(None) };
        match self.have_image(image, platform, None).await {
            Ok(()) => Ok(Some(image)),
            Err(Error::NoImage { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create(
        &self,
        container: &Container,
        image: String,
        first: Option<&str>,
    ) -> Result<String, Error> {
        let options = bollard::query_parameters::CreateContainerOptionsBuilder::default()
            .name(&container.name)
            .build();
        let body = body::create(container, image, first.unwrap_or(&container.name));
        let call = self.engine.create_container(Some(options), body);
        let what = || format!("create container {}", container.name);
        Ok(within(ACT, what, call).await?.id)
    }

    /// Kills the tests of a lease. What became of that shows in how the pod ends.
    pub async fn kill(&self, lease: &LeaseKey) {
        let name = pod::tests_name(&self.owner, lease);
        let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
        let call = self.engine.kill_container(&name, Some(options));
        let killed = within(ACT, || format!("kill container {name}"), call).await;
        if let Err(error) = killed.or_else(Error::unless_gone) {
            tracing::warn!(%lease, %error, "failed to kill a pod");
        }
    }

    /// Removes all containers of a lease.
    pub async fn remove(&self, lease: &LeaseKey) {
        let wanted = [
            (label::AGENT, self.owner.agent.to_string()),
            (label::BOOT, self.owner.boot.to_string()),
            (label::RUN, lease.run.to_string()),
            (label::LEASE, lease.lease.to_string()),
            (label::ATTEMPT, lease.epoch.0.to_string()),
        ];
        if let Err(error) = self.remove_where(&wanted, |_| true).await {
            tracing::warn!(%lease, %error, "failed to remove a pod; it is tried again later");
        }
    }

    /// Removes what belongs to this agent, in this life or an earlier one, and to no live lease.
    pub async fn sweep(&self, live: &[LeaseKey]) {
        let wanted = [(label::AGENT, self.owner.agent.to_string())];
        let is_live = |labels: &HashMap<String, String>| {
            let is = |name, value: String| labels.get(name).is_some_and(|found| *found == value);
            is(label::BOOT, self.owner.boot.to_string())
                && live.iter().any(|lease| {
                    is(label::RUN, lease.run.to_string())
                        && is(label::LEASE, lease.lease.to_string())
                        && is(label::ATTEMPT, lease.epoch.0.to_string())
                })
        };
        match self.remove_where(&wanted, |labels| !is_live(labels)).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "removed containers that no lease holds"),
            Err(error) => tracing::warn!(%error, "failed to look for containers left behind"),
        }
    }

    /// Removes everything of this boot; the number of containers there were.
    ///
    /// # Errors
    /// When the engine does not answer, or refuses.
    pub async fn remove_boot(&self) -> Result<usize, Error> {
        let wanted = [
            (label::AGENT, self.owner.agent.to_string()),
            (label::BOOT, self.owner.boot.to_string()),
        ];
        self.remove_where(&wanted, |_| true).await
    }

    /// Removes containers that have all these labels and that `chosen` picks by all of theirs.
    async fn remove_where(
        &self,
        wanted: &[(&str, String)],
        chosen: impl Fn(&HashMap<String, String>) -> bool,
    ) -> Result<usize, Error> {
        let found = self.list(wanted).await?;
        let mut removed = 0;
        for container in found {
            let (Some(id), Some(labels)) = (container.id, container.labels) else { continue };
            if chosen(&labels) {
                self.remove_container(&id).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    async fn list(&self, wanted: &[(&str, String)]) -> Result<Vec<ContainerSummary>, Error> {
        let labels: Vec<String> =
            wanted.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let filters = HashMap::from([("label", labels)]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let call = self.engine.list_containers(Some(options));
        within(ACT, || format!("list containers at {}", self.endpoint), call).await
    }

    async fn remove_container(&self, id: &str) -> Result<(), Error> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let call = self.engine.remove_container(id, Some(options));
        within(ACT, || format!("remove container {id}"), call).await.or_else(Error::unless_gone)
    }
}

fn tests(container: &Container) -> Option<(&Container, &str, Option<&Base>)> {
    match &container.role {
        Role::Tests { platform, base } => Some((container, platform, base.as_ref())),
        Role::Service { .. } | Role::Probe => None,
    }
}

/// What an engine says of itself.
///
/// # Errors
/// When none answers at the endpoint.
pub async fn facts(endpoint: &Endpoint) -> Result<Facts, Error> {
    connection::facts(&connection::open(endpoint).await?).await
}
