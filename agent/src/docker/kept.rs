//! Images of services with databases on them: made of a pod's services, looked for, and removed.
//!
//! They are named after their entry, and labelled with it and with its store. An image whose
//! entry is not there belongs to nobody, so one that was made and never used goes in the end.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

use bollard::models::{ContainerConfig, ContainerInspectResponse};
use bollard::query_parameters::{
    CommitContainerOptionsBuilder, KillContainerOptionsBuilder, ListImagesOptionsBuilder,
    RemoveImageOptionsBuilder,
};
use futures_util::future::try_join_all;
use muletrain_proto::id::LeaseKey;
use muletrain_proto::link::RunBrief;

use super::error::within;
use super::{ACT, ASK, Docker, Error, service, tests_container};
use crate::pure::kept::Images;
use crate::pure::pod::{self, Storing, label};

/// Repository of all of them.
pub(super) const REPOSITORY: &str = "muletrain-warm";

/// How long a service may take to stop.
const STOP: Duration = Duration::from_secs(60);

/// How long an engine may take to make an image of a container.
pub(super) const COMMIT: Duration = Duration::from_secs(10 * 60);

impl Docker {
    /// Stops the services of a pod that store data, and makes images of them.
    ///
    /// # Errors
    /// When there is one that cannot be kept.
    pub async fn keep_services(
        &self,
        lease: &LeaseKey,
        brief: &RunBrief,
        entry: (&str, &str),
    ) -> Result<Images, Error> {
        let services = pod::storing(lease, brief, &self.owner);
        let kept = try_join_all(services.iter().map(|item| self.keep(item, entry))).await?;
        let bytes = kept.iter().fold(0_u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
        let images = kept.into_iter().map(|(image, _)| image);
        let of_services = services.into_iter().map(|item| item.service).zip(images).collect();
        Ok(Images { of_services, bytes })
    }

    /// Keeps a service: its image, and how much larger that is than the one it began with.
    async fn keep(
        &self,
        storing: &Storing,
        (store, entry): (&str, &str),
    ) -> Result<(String, u64), Error> {
        let Storing { service, container, .. } = storing;
        let what = || format!("inspect service {service}");
        let found = within(ASK, what, self.engine.inspect_container(container, None)).await?;
        check_volumes(storing, &found)?;
        self.stop(storing, &found).await?;
        let tag = format!("{entry}-{service}");
        let options = CommitContainerOptionsBuilder::default()
            .container(container)
            .repo(REPOSITORY)
            .tag(&tag)
            .pause(false);
        let labels = [(label::STORE, store), (label::ENTRY, entry)];
        let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let config = ContainerConfig { labels: Some(labels), ..ContainerConfig::default() };
        let engine = self.engine.clone().with_timeout(COMMIT);
        let call = engine.commit_container(options.build(), config);
        let image =
            within(COMMIT, || format!("make an image of service {service}"), call).await?.id;
        let began_with = self.size(found.image.as_deref().unwrap_or_default()).await?;
        let bytes = self.size(&image).await?.saturating_sub(began_with);
        Ok((image, bytes))
    }

    /// Bytes of an image, all its layers together.
    pub(super) async fn size(&self, image: &str) -> Result<u64, Error> {
        let call = self.engine.inspect_image(image);
        let found = within(ASK, || format!("inspect image {image}"), call).await?;
        Ok(found.size.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default())
    }

    /// Stops a service as its image says, and sees that it took its time to.
    async fn stop(&self, storing: &Storing, found: &ContainerInspectResponse) -> Result<(), Error> {
        let Storing { service, container, .. } = storing;
        let signal = found.config.as_ref().and_then(|config| config.stop_signal.as_deref());
        let options =
            KillContainerOptionsBuilder::default().signal(signal.unwrap_or("SIGTERM")).build();
        let call = self.engine.kill_container(container, Some(options));
        within(ACT, || format!("stop service {service}"), call).await?;
        let ended = tests_container::wait(&self.engine, container);
        let how = match tokio::time::timeout(STOP, ended).await {
            // What a signal ended may not have written all of what it stores.
            Ok(Ok(0)) => return Ok(()),
            Ok(Ok(status)) => format!("it ended with status {status}"),
            Ok(Err(reason)) => reason,
            Err(_) => format!("it still runs after {} s", STOP.as_secs()),
        };
        let log = service::log_tail(&self.engine, container).await;
        Err(Error::NotStopped { service: service.clone(), how, log })
    }

    /// Whether all images are there.
    pub async fn has_images(&self, images: impl Iterator<Item = &String>) -> bool {
        let asked = try_join_all(images.map(|image| async move {
            let call = self.engine.inspect_image(image);
            within(ASK, || format!("inspect image {image}"), call).await
        }));
        // Of an engine that does not answer, nothing follows.
        asked.await.map_or_else(|error| error.status() != Some(404), |_| true)
    }

    /// Removes the images of a store that belong to other entries than these. One in use stays
    /// until the next time.
    pub async fn remove_images(&self, store: &str, entries: &BTreeSet<String>) {
        if let Err(error) = self.try_remove_images(store, entries).await {
            tracing::warn!(%error, "failed to remove images of databases that are not kept");
        }
    }

    async fn try_remove_images(
        &self,
        store: &str,
        entries: &BTreeSet<String>,
    ) -> Result<(), Error> {
        let wanted = HashMap::from([("label", vec![format!("{}={store}", label::STORE)])]);
        let options = ListImagesOptionsBuilder::default().filters(&wanted).build();
        let call = self.engine.list_images(Some(options));
        for image in within(ACT, || "list images".to_owned(), call).await? {
            if image.labels.get(label::ENTRY).is_some_and(|entry| entries.contains(entry)) {
                continue;
            }
            for name in image.repo_tags.iter().filter(|name| name.starts_with(REPOSITORY)) {
                let options = RemoveImageOptionsBuilder::default().build();
                let call = self.engine.remove_image(name, Some(options), None);
                let removed = within(ACT, || format!("remove image {name}"), call).await;
                removed.map(|_| ()).or_else(Error::unless_gone)?;
            }
        }
        Ok(())
    }
}

/// Sees that what a service stores would be in an image of its container.
fn check_volumes(storing: &Storing, found: &ContainerInspectResponse) -> Result<(), Error> {
    let mounts = found.mounts.iter().flatten();
    let volumes = mounts.filter(|mount| mount.typ.as_deref() == Some("volume"));
    let mut folders = volumes.filter_map(|mount| mount.destination.as_deref());
    match folders.find(|folder| Path::new(&storing.data).starts_with(folder)) {
        None => Ok(()),
        Some(volume) => Err(Error::Volume {
            service: storing.service.clone(),
            data: storing.data.clone(),
            volume: volume.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use bollard::models::MountPoint;

    use super::super::error::LogTail;
    use super::*;

    fn storing(data: &str) -> Storing {
        let [service, container] = ["db", "pod-service1"].map(str::to_owned);
        Storing { service, container, data: data.to_owned() }
    }

    #[test]
    fn what_a_signal_ended_cannot_be_kept() {
        let error = Error::NotStopped {
            service: "db".to_owned(),
            how: "it ended with status 143".to_owned(),
            log: LogTail("going down".to_owned()),
        };
        insta::assert_snapshot!(error, @r"
        service db did not stop as it should: it ended with status 143; set STOPSIGNAL of its image to the signal by which it stops in good order, with status 0; the end of its log:
        going down
        ");
    }

    #[test]
    fn what_is_stored_in_a_volume_cannot_be_kept() {
        let volume = MountPoint {
            typ: Some("volume".to_owned()),
            destination: Some("/var/lib/postgresql/data".to_owned()),
            ..MountPoint::default()
        };
        let container =
            ContainerInspectResponse { mounts: Some(vec![volume]), ..Default::default() };
        for good in ["/var/tmp/muletrain", "/var/lib/postgresql", "/var/lib/postgresql/database"] {
            assert!(check_volumes(&storing(good), &container).is_ok());
        }
        let below = storing("/var/lib/postgresql/data/16");
        insta::assert_snapshot!(check_volumes(&below, &container).unwrap_err(), @"service db stores in /var/lib/postgresql/data/16, which is in /var/lib/postgresql/data, a volume of its image, so it cannot be kept; let it store in a folder that is none, and name that in services.db.data");
    }
}
