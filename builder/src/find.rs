//! Whether a snapshot that was made before can still be tested.

use std::path::Path;

use muletrain_proto::snapshot::{Content, Snapshot};

use crate::docker::{self, Engine};
use crate::error::Error;
use crate::process::Cache;
use crate::settings;

/// Whether all that a snapshot is made of is still there. An engine that cannot be reached has
/// nothing.
///
/// # Errors
/// When an engine is there and does not answer.
pub async fn is_there(settings: &settings::Build, snapshot: &Snapshot) -> Result<bool, Error> {
    match &snapshot.content {
        Content::Process { root } => Ok(Path::new(root).is_dir()),
        Content::Docker { .. } => {
            let engine = match Engine::connect(settings).await {
                Err(error) if error.is_absence() => return Ok(false),
                engine => engine?,
            };
            Ok(docker::has(&engine, snapshot, &Cache::open(&settings.cache)?).await?)
        }
    }
}
