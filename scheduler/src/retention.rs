//! Old runs are removed and the journals of others packed, as `[results]` says.
//!
//! What is in a folder of runs and is no run, or cannot be read, is nobody's to remove. A journal
//! is locked by whoever writes it, so no run that goes on is touched.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use muletrain_proto::cli::chain;
use muletrain_proto::id::RunId;
use muletrain_proto::journal::{self, Record};
use muletrain_proto::runs::{self, CONTENT};

use crate::packed;
use crate::pure::retention::{Kept, Rules, decide};
use crate::settings::Settings;

/// What the name of a run begins with that is being removed.
const GONE: &str = ".removed-";

/// How long a run that did not end counts as one that goes on, in case its lock cannot be seen.
const UNFINISHED: Duration = Duration::from_secs(24 * 60 * 60);

/// After this nothing more is begun. The rest is for the next time.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long is waited for what was begun.
const LIMIT: Duration = Duration::from_secs(10);

/// How long a scheduler that stays lets its runs be.
const PAUSE: Duration = Duration::from_secs(60 * 60);

/// Longest end of a journal that is looked at.
const TAIL: u64 = 64 << 10;

/// Why a run stays as it is.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot remove the stored run {}", path.display())]
    Remove { path: PathBuf, source: io::Error },
    #[error("{} is damaged and stays", path.display())]
    Damaged { path: PathBuf },
    #[error("cannot pack {}", path.display())]
    Pack { path: PathBuf, source: io::Error },
}

impl Error {
    /// Damage is told by whoever asks for the run; nobody wants to hear of it after every other.
    fn tell(&self) {
        match self {
            Self::Damaged { .. } => tracing::debug!("{self}"),
            Self::Remove { .. } | Self::Pack { .. } => tracing::warn!("{}", chain(self)),
        }
    }
}

/// Brings the folder of runs in order that a run was stored in. Nobody waits long for that.
pub(crate) async fn after_run(settings: &Settings) {
    wait_for(settings.results.clone(), settings.retention).await;
}

/// Brings a folder of runs in order now and then, for as long as the process lives.
pub(crate) fn in_background(folder: PathBuf, rules: Rules) {
    tokio::spawn(async move {
        let mut times = tokio::time::interval(PAUSE);
        loop {
            times.tick().await;
            wait_for(folder.clone(), rules).await;
        }
    });
}

/// Waits for a folder to be in order, or for the longest time that anybody waits for that.
async fn wait_for(folder: PathBuf, rules: Rules) {
    let (done, end) = tokio::sync::oneshot::channel();
    // A thread of its own, unlike a task, ends with the process wherever it is.
    let begun = thread::Builder::new().name("retention".to_owned()).spawn(move || {
        tidy(&folder, &rules);
        // Whoever waited may have gone.
        let _ = done.send(());
    });
    match begun {
        Ok(_) => drop(tokio::time::timeout(LIMIT, end).await),
        Err(error) => tracing::warn!("old runs are not removed: {error}"),
    }
}

/// Brings a folder of runs in order. What goes wrong is told, and is not the run's fault.
pub fn tidy(folder: &Path, rules: &Rules) {
    let deadline = Instant::now() + PATIENCE;
    let mut failed = Vec::new();
    finish_removals(folder);
    // Once to pack, and once more for what is still too much.
    for _ in 0..2 {
        let runs = scan(folder, &failed);
        let plan = decide(runs, rules);
        if plan.is_empty() {
            break;
        }
        let removals = plan.remove.into_iter().map(|run| (remove(folder, &run), run));
        let packings = plan.pack.into_iter().map(|run| (pack(folder, &run), run));
        for (done, run) in removals.chain(packings) {
            if let Err(error) = done {
                error.tell();
                failed.push(run);
            }
            if Instant::now() > deadline {
                return;
            }
        }
    }
    forget_content(folder);
}

/// Every run in a folder; those that `failed` are not tried again.
fn scan(folder: &Path, failed: &[RunId]) -> Vec<Kept> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let now = SystemTime::now();
    let runs = entries.filter_map(|entry| {
        // Of a link it is not known whose folder it leads to.
        entry.file_type().ok().filter(fs::FileType::is_dir)?;
        let run = RunId::new(entry.file_name().into_string().ok()?).ok()?;
        let mut kept = look(&entry.path(), run, now)?;
        if failed.contains(&kept.run) {
            kept.live = true;
        }
        Some(kept)
    });
    runs.collect()
}

/// What is known of a run; none where the folder is not that of a run, or damaged.
fn look(directory: &Path, run: RunId, now: SystemTime) -> Option<Kept> {
    let path = runs::journal_in(directory)?;
    let mut header = String::new();
    packed::open(&path).ok()?.take(TAIL).read_line(&mut header).ok()?;
    if journal::read_header(&header).ok()?.run != run {
        return None;
    }
    let packable = !packed::is_packed(&path);
    let mut file = File::open(&path).ok()?;
    let written = file.metadata().ok()?.modified().ok()?;
    let age = now.duration_since(written).unwrap_or_default();
    let closed = !packable || ends_closed(&mut file)?;
    let live = (!closed && age < UNFINISHED) || is_held(&file);
    Some(Kept { bytes: size(directory), run, age, live, packable })
}

/// Whether the last whole line of a journal is the last one of its run; none where it is no line
/// of a journal.
fn ends_closed(file: &mut File) -> Option<bool> {
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let whole = &text[..text.rfind('\n')?];
    match whole.rsplit_once('\n') {
        Some((_, last)) => Some(journal::read_entry(last).ok()?.record == Record::Closed),
        // One line that is longer than what was looked at, or the header alone.
        None => Some(false),
    }
}

/// Whether somebody has a journal locked. Where there are no locks, only its end tells.
fn is_held(file: &File) -> bool {
    match file.try_lock_shared() {
        Ok(()) => file.unlock().is_err(),
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(_)) => false,
    }
}

/// A journal that nobody else has locked, and for now nobody can.
fn take(journal: &Path) -> io::Result<Option<File>> {
    let file = File::open(journal)?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(None),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(file)),
    }
}

/// Bytes of all files in a folder, each shared among the runs that have it. Links are not followed.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => size(&entry.path()),
        // One name of a shared file is that of its content.
        Ok(data) => data.len() / data.nlink().saturating_sub(1).max(1),
        Err(_) => 0,
    });
    sizes.fold(0, u64::saturating_add)
}

/// Removes a run, unless somebody uses its journal, or it cannot be read.
fn remove(folder: &Path, run: &RunId) -> Result<(), Error> {
    let directory = folder.join(run.as_str());
    let failed = |source| Error::Remove { path: directory.clone(), source };
    let Some(path) = runs::journal_in(&directory) else { return Ok(()) };
    let Some(_held) = take(&path).map_err(failed)? else { return Ok(()) };
    if !packed::is_sound(&path) {
        return Err(Error::Damaged { path });
    }
    let gone = folder.join(format!("{GONE}{run}"));
    // At once for those who look for runs, whatever happens afterwards.
    fs::rename(&directory, &gone).map_err(failed)?;
    fs::remove_dir_all(&gone).map_err(failed)
}

fn pack(folder: &Path, run: &RunId) -> Result<(), Error> {
    let path = folder.join(run.as_str()).join(journal::FILE_NAME);
    let failed = |source| Error::Pack { path: path.clone(), source };
    match take(&path).map_err(failed)? {
        Some(_held) => packed::pack(&path).map_err(failed),
        None => Ok(()),
    }
}

/// Removes what an earlier removal was kept from.
fn finish_removals(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let run = name.to_str().and_then(|name| name.strip_prefix(GONE));
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && run.is_some_and(|run| RunId::new(run).is_ok()) {
            // Another process may be at it.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Removes files that no run has any more.
fn forget_content(folder: &Path) {
    let entries = fs::read_dir(folder.join(CONTENT)).into_iter().flatten().flatten();
    for entry in entries {
        let is_unused = |data: fs::Metadata| data.is_file() && data.nlink() == 1;
        if entry.metadata().is_ok_and(is_unused) {
            // Whoever wants it meanwhile fetches it again.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests;
