//! Removing what builders made and nobody has used for long.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::docker::{Engine, garbage as images};
use crate::error::Error;
use crate::process::{Cache, garbage as folders};
use crate::pure::collection::{Handle, Item, Limits, Plan, Sized};
use crate::settings;

/// What was removed, or would be.
#[derive(Debug, Serialize)]
pub struct Report {
    dry_run: bool,
    removed: Vec<Line>,
    freed: u64,
    kept: usize,
    kept_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Line {
    name: String,
    bytes: u64,
    unused_seconds: u64,
}

/// Removes what was not used for longest until the rest fits. Without an engine, only the cache
/// is looked at.
///
/// # Errors
/// When the engine or the cache cannot be used.
pub async fn collect(settings: &settings::Collection) -> Result<Report, Error> {
    let cache = Cache::open(&settings.build.cache)?;
    let engine = match Engine::connect(&settings.build).await {
        Ok(engine) => Some(engine),
        Err(error) if error.is_absence() => None,
        Err(error) => return Err(error.into()),
    };
    let mut items = folders::list(&cache)?;
    let mut foreign = Vec::new();
    if let Some(engine) = &engine {
        let found = images::list(engine, &cache.used()).await?;
        items.extend(found.items);
        foreign = found.foreign;
    }
    let now = SystemTime::now();
    let limits = Limits { keep: settings.keep_bytes, recent: settings.recent, now };
    let Plan { mut keep, remove } = Plan::new(items, &foreign, limits);
    let mut removed = Vec::new();
    for it in remove {
        match settings.dry_run || remove_one(&cache, engine.as_ref(), &it.item).await? {
            true => removed.push(it),
            false => keep.push(it),
        }
    }
    Ok(Report::new(settings.dry_run, &removed, &keep, now))
}

/// Removes an item; false where something uses it after all.
async fn remove_one(cache: &Cache, engine: Option<&Engine>, item: &Item) -> Result<bool, Error> {
    match (&item.handle, engine) {
        (Handle::Image(id), Some(engine)) => Ok(images::remove(engine, id, &cache.used()).await?),
        (Handle::Image(_), None) => Ok(false),
        (Handle::Folder(path), _) => Ok(folders::remove(cache, path, item.used)?),
    }
}

impl Report {
    fn new(dry_run: bool, removed: &[Sized], kept: &[Sized], now: SystemTime) -> Self {
        let line = |it: &Sized| Line {
            name: it.item.name.clone(),
            bytes: it.own,
            unused_seconds: now.duration_since(it.item.used).unwrap_or(Duration::ZERO).as_secs(),
        };
        Self {
            dry_run,
            removed: removed.iter().map(line).collect(),
            freed: removed.iter().map(|it| it.own).sum(),
            kept: kept.len(),
            kept_bytes: kept.iter().map(|it| it.own).sum(),
        }
    }

    /// As a text, a line for each thing that was removed.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let verb = if self.dry_run { "would remove" } else { "removed" };
        for Line { name, bytes, unused_seconds } in &self.removed {
            let (size, hours) = (megabytes(*bytes), unused_seconds / 3600);
            let _ = writeln!(text, "{verb} {name}: {size}, not used for {hours} h");
        }
        let (freed, count) = (megabytes(self.freed), self.removed.len());
        let (kept, stay) = (self.kept, megabytes(self.kept_bytes));
        let _ = writeln!(text, "{verb} {count}, {freed}; {kept} stay, {stay}");
        text
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_removed_is_told_line_by_line() {
        let line = |name: &str, bytes, unused_seconds| Line {
            name: name.to_owned(),
            bytes,
            unused_seconds,
        };
        let mut report = Report {
            dry_run: false,
            removed: vec![line("muletrain-snapshot:1", 20_000, 90_000), line("/cache/a", 0, 60)],
            freed: 20_000,
            kept: 3,
            kept_bytes: 5 << 30,
        };
        insta::assert_snapshot!(report.text(), @r"
        removed muletrain-snapshot:1: 1 MiB, not used for 25 h
        removed /cache/a: 0 MiB, not used for 0 h
        removed 2, 1 MiB; 3 stay, 5120 MiB
        ");
        report.dry_run = true;
        assert!(report.text().starts_with("would remove muletrain-snapshot:1"));
    }
}
