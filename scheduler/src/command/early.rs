//! Labels that name nothing are refused before anything is built for them.

use std::fs;

use muletrain_proto::cli::Common;

use super::Error;
use crate::pure::{early, label};
use crate::settings::Settings;
use crate::sibling;

/// Longest module that is read for the names of its classes.
const LENGTH_LIMIT: u64 = 4 << 20;

/// Looks for the classes and apps that labels name in the files of the checkout.
///
/// What cannot be told by files alone passes: the snapshot and the project's own runner tell later.
pub(super) async fn check(settings: &Settings, common: &Common) -> Result<(), Error> {
    let labels = &settings.options.labels;
    if labels.is_empty() {
        return Ok(());
    }
    // Whatever is wrong with the project, the build says it better.
    let Some(apps) = sibling::apps(settings, common).await else { return Ok(()) };
    label::check(labels, &apps)?;
    for named in labels.iter().filter_map(|label| early::class_of(label, &apps)) {
        if let Some(text) = read(settings, named.file) {
            early::check(&named, &text)?;
        }
    }
    Ok(())
}

fn read(settings: &Settings, file: &str) -> Option<String> {
    let path = settings.project.join(file);
    let is_short = fs::metadata(&path).is_ok_and(|data| data.len() <= LENGTH_LIMIT);
    is_short.then(|| fs::read_to_string(path).ok())?
}
