//! Removing containers that a builder could not remove itself.
//!
//! A container that runs goes with its builder (see [`super::container`]). One that was made and
//! never started would stay.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};
use bollard::query_parameters::ListContainersOptionsBuilder;

use super::container::remove;
use super::engine::{Engine, SHORT, within};
use super::{Error, LABEL};

/// How long a container may exist without running: starting one takes a moment.
const GRACE: Duration = Duration::from_secs(5 * 60);

/// Removes the containers of this builder.
pub(super) async fn own(engine: &Engine) -> Result<(), Error> {
    // Anchored, because the engine looks for the name anywhere in a name.
    let name = format!("^/?{}-", engine.builder);
    remove_all(engine, ("name", &name), |_| true).await
}

/// Removes what builders left that were killed between making a container and starting it.
pub(super) async fn abandoned(engine: &Engine) -> Result<(), Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let before = now.saturating_sub(GRACE).as_secs();
    remove_all(engine, ("label", LABEL), |container| {
        let made = u64::try_from(container.created.unwrap_or_default()).unwrap_or_default();
        made < before && has_stopped(container)
    })
    .await
}

/// Whether it does not run. Not asked of the engine, because Podman knows other words than Docker.
fn has_stopped(container: &ContainerSummary) -> bool {
    use ContainerSummaryStateEnum::{CREATED, DEAD, EXITED};
    matches!(container.state, Some(CREATED | DEAD | EXITED))
}

/// Removes the containers that pass a filter of the engine's and one more.
async fn remove_all(
    engine: &Engine,
    (filter, value): (&str, &str),
    is_wanted: impl Fn(&ContainerSummary) -> bool,
) -> Result<(), Error> {
    let filters = HashMap::from([(filter, vec![value])]);
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    let list = engine.docker.list_containers(Some(options));
    for container in within("list containers", SHORT, list).await? {
        if is_wanted(&container)
            && let Some(id) = container.id
        {
            remove(engine, &id).await?;
        }
    }
    Ok(())
}
