//! Removing containers that a builder could not remove itself.
//!
//! A container that runs goes with its builder (see [`super::container`]). One that was made and
//! never started would stay.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::query_parameters::ListContainersOptionsBuilder;

use super::container::remove;
use super::engine::{Engine, SHORT, within};
use super::{Error, LABEL};

/// How long a container may exist without running: starting one takes a moment.
const GRACE: Duration = Duration::from_secs(5 * 60);

/// Removes the containers of this builder.
pub(super) async fn own(engine: &Engine) -> Result<(), Error> {
    // Anchored, because the engine looks for the name anywhere in a name.
    remove_all(engine, &[("name", &[&format!("^/?{}-", engine.builder)])], None).await
}

/// Removes what builders left that were killed between making a container and starting it.
pub(super) async fn abandoned(engine: &Engine) -> Result<(), Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let stopped = ["created", "exited", "dead"];
    let filters: [(&str, &[&str]); 2] = [("label", &[LABEL]), ("status", &stopped)];
    remove_all(engine, &filters, Some(now.saturating_sub(GRACE))).await
}

/// Removes the containers that pass all filters and were made before a moment.
async fn remove_all(
    engine: &Engine,
    filters: &[(&str, &[&str])],
    before: Option<Duration>,
) -> Result<(), Error> {
    let filters: HashMap<String, Vec<String>> = filters
        .iter()
        .map(|(name, values)| {
            ((*name).to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
        })
        .collect();
    let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
    let list = engine.docker.list_containers(Some(options));
    for container in within("list containers", SHORT, list).await? {
        let made = u64::try_from(container.created.unwrap_or_default()).unwrap_or_default();
        if before.is_none_or(|before| made < before.as_secs())
            && let Some(id) = container.id
        {
            remove(engine, &id).await?;
        }
    }
    Ok(())
}
