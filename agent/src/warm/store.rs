//! Kept databases on the disk, for this agent and the next: `CACHE/warm/1/KEY/ENTRY/entry.json`,
//! and beside the entries of a key what setting databases up took last. `CACHE/warm/1/id` tells the
//! store from others.
//!
//! Several agents may use a folder at once. An entry appears whole or not at all, and one that
//! cannot be read is no error: it is removed, and the databases are made again.

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use muletrain_proto::seconds::Seconds;
use tempfile::TempDir;

use crate::pure::kept::{CONTENT_LIMIT, Entry, Key, Times, VERSION};
use crate::state::{PRIVATE_FILE, PRIVATE_FOLDER, make_private_folder};

/// Entries of one key.
const ENTRIES_OF_KEY: usize = 8;

/// Keys.
const KEYS: usize = 256;

/// Bytes of all entries.
const SPACE: u64 = 2 << 30;

/// Bytes of all images that entries belong to, beyond those that services have anyway.
const IMAGE_SPACE: u64 = 20 << 30;

/// Bytes of one entry: its databases, and a manifest that was a line of a harness.
pub(super) const ENTRY_LIMIT: u64 = 3 * CONTENT_LIMIT as u64;

/// How long an entry may take to be written, before what there is of it counts as left behind.
const WRITE_LIMIT: Duration = Duration::from_secs(3600);

/// The file of an entry.
const ENTRY: &str = "entry.json";

/// The file with the number of bytes that an entry's images take.
const IMAGES: &str = "images";

/// The file with the time that setting databases up took.
const TIMES: &str = "times.json";

/// The file with the id of a store, and how long that is.
const ID: &str = "id";
const ID_LENGTH: usize = 16;

/// What the names of entries begin with that are being written.
const UNFINISHED: &str = ".new-";

/// A folder of kept databases.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// The store in a cache folder; nothing is written until there is something to keep.
    #[must_use]
    pub fn new(cache: &Path) -> Self {
        Self { folder: cache.join("warm").join(VERSION.to_string()) }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All entries of a key and their names, the last used first.
    #[must_use]
    pub fn entries(&self, key: &Key) -> Vec<(String, Entry)> {
        let mut found = used(&self.key_folder(key));
        found.sort_by_key(|kept| std::cmp::Reverse(kept.used));
        let name = |path: &Path| path.file_name()?.to_str().map(str::to_owned);
        found
            .into_iter()
            .filter_map(|kept| Some((name(&kept.path)?, read_or_remove(&kept.path)?)))
            .collect()
    }

    /// An entry that is going to be used, if it is still there.
    #[must_use]
    pub fn take(&self, key: &Key, name: &str) -> Option<Entry> {
        let folder = self.key_folder(key);
        let entry = read_or_remove(&folder.join(name))?;
        touch(&folder.join(name));
        touch(&folder);
        Some(entry)
    }

    /// Begins an entry, which is there once it is finished.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(&self, key: &Key) -> io::Result<Unfinished> {
        make_private_folder(&self.folder)?;
        let store_id = self.make_id()?;
        let folder = self.key_folder(key);
        make_private_folder(&folder)?;
        let name = format!("{:016x}", fastrand::u64(..));
        let folder = tempfile::Builder::new()
            .prefix(&format!("{UNFINISHED}{name}"))
            .rand_bytes(0)
            .permissions(Permissions::from_mode(PRIVATE_FOLDER))
            .tempdir_in(&folder)?;
        Ok(Unfinished { store: self.clone(), store_id, folder, name })
    }

    /// Removes an entry.
    pub fn remove(&self, key: &Key, name: &str) {
        remove(&self.key_folder(key).join(name));
    }

    /// Names of all entries, also of those that are still being made.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        let entries = folders(&self.folder).flat_map(|key| folders(&key).collect::<Vec<_>>());
        let name = |path: PathBuf| {
            let name = path.file_name()?.to_str()?;
            Some(name.strip_prefix(UNFINISHED).unwrap_or(name).to_owned())
        };
        entries.filter_map(name).collect()
    }

    /// What tells it from stores elsewhere that use the same engine; none before its first entry.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        let id = fs::read_to_string(self.folder.join(ID)).ok()?;
        // It becomes a label.
        (id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
    }

    /// Its id, made by the first who needs one.
    fn make_id(&self) -> io::Result<String> {
        if let Some(id) = self.id() {
            return Ok(id);
        }
        let mut file = tempfile::NamedTempFile::with_prefix_in(UNFINISHED, &self.folder)?;
        write!(file, "{:0ID_LENGTH$x}", fastrand::u64(..))?;
        match file.persist_noclobber(self.folder.join(ID)) {
            Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(error.error);
            }
            _ => {}
        }
        let path = self.folder.join(ID);
        let damaged = || io::Error::other(format!("{} is damaged; remove it", path.display()));
        self.id().ok_or_else(damaged)
    }

    /// What setting the databases of a key up took last, if that is known.
    #[must_use]
    pub fn times(&self, key: &Key) -> Option<Times> {
        let text = fs::read(self.key_folder(key).join(TIMES)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Remembers what setting the databases of a key up took.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note_times(&self, key: &Key, times: Times) -> io::Result<()> {
        make_private_folder(&self.folder)?;
        let folder = self.key_folder(key);
        make_private_folder(&folder)?;
        let mut file = tempfile::NamedTempFile::with_prefix_in(UNFINISHED, &folder)?;
        file.write_all(&serde_json::to_vec(&times)?)?;
        file.persist(folder.join(TIMES))?;
        Ok(())
    }

    /// Forgets what setting the databases of a key up took, if this is longer than that.
    pub fn outgrow(&self, key: &Key, whole: Seconds) {
        if self.times(key).is_some_and(|times| times.are_outgrown_by(whole)) {
            // Another agent may have been faster.
            let _ = fs::remove_file(self.key_folder(key).join(TIMES));
        }
    }

    fn key_folder(&self, key: &Key) -> PathBuf {
        self.folder.join(key.as_str())
    }

    /// Removes what was not used for longest, until all limits are kept.
    fn make_room(&self) {
        let mut keys: Vec<Kept> = folders(&self.folder).filter_map(Kept::of).collect();
        for surplus in oldest(&mut keys, KEYS) {
            remove(&surplus.path);
        }
        let mut all = Vec::new();
        for key in &keys {
            remove_unfinished(&key.path);
            let mut entries = used(&key.path);
            for surplus in oldest(&mut entries, ENTRIES_OF_KEY) {
                remove(&surplus.path);
            }
            all.append(&mut entries);
        }
        all.sort_by_key(|entry| std::cmp::Reverse(entry.used));
        let (mut space, mut image_space) = (0_u64, 0_u64);
        for entry in all {
            space = space.saturating_add(size(&entry.path));
            image_space = image_space.saturating_add(size_of_images(&entry.path));
            if space > SPACE || image_space > IMAGE_SPACE {
                remove(&entry.path);
            }
        }
    }
}

/// An entry that is being made. It is gone where it is dropped before it is finished.
#[derive(Debug)]
pub struct Unfinished {
    store: Store,
    store_id: String,
    folder: TempDir,
    name: String,
}

impl Unfinished {
    /// The name it will have.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The store's id.
    #[must_use]
    pub fn store_id(&self) -> &str {
        &self.store_id
    }

    /// Keeps it, whose images take so many bytes, and makes room for it; its name.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self, entry: &Entry, images: u64) -> io::Result<String> {
        if images > 0 {
            write(&self.folder.path().join(IMAGES), images.to_string().as_bytes())?;
        }
        write(&self.folder.path().join(ENTRY), &serde_json::to_vec(entry)?)?;
        fs::rename(self.folder.path(), self.folder.path().with_file_name(&self.name))?;
        // There is nothing of that name to remove any more.
        let _ = self.folder.keep();
        self.store.make_room();
        Ok(self.name)
    }
}

/// A folder, and when it was used last.
struct Kept {
    path: PathBuf,
    used: SystemTime,
}

impl Kept {
    fn of(path: PathBuf) -> Option<Self> {
        let used = fs::metadata(&path).ok()?.modified().ok()?;
        Some(Self { path, used })
    }
}

/// Entries of a key.
fn used(folder: &Path) -> Vec<Kept> {
    let is_finished = |path: &PathBuf| !is_unfinished(path);
    folders(folder).filter(is_finished).filter_map(Kept::of).collect()
}

fn folders(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    // A link to a folder is none of ours.
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|it| it.path())
}

fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED))
}

/// Takes out what is too many, the longest unused first.
fn oldest(kept: &mut Vec<Kept>, limit: usize) -> Vec<Kept> {
    kept.sort_by_key(|entry| std::cmp::Reverse(entry.used));
    kept.split_off(limit.min(kept.len()))
}

fn read_or_remove(path: &Path) -> Option<Entry> {
    let entry = read(path);
    if entry.is_none() {
        remove(path);
    }
    entry
}

fn read(path: &Path) -> Option<Entry> {
    let file = path.join(ENTRY);
    let text = (size(path) <= ENTRY_LIMIT).then(|| fs::read(&file).ok()).flatten()?;
    let entry: Entry = serde_json::from_slice(&text).ok()?;
    (entry.version == VERSION).then_some(entry)
}

fn size(entry: &Path) -> u64 {
    fs::metadata(entry.join(ENTRY)).map_or(0, |metadata| metadata.len())
}

fn size_of_images(entry: &Path) -> u64 {
    fs::read_to_string(entry.join(IMAGES)).ok().and_then(|it| it.parse().ok()).unwrap_or(0)
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().create_new(true).write(true).mode(PRIVATE_FILE).open(path)?.write_all(bytes)
}

/// Marks a folder as used. That it cannot be marked only makes it go earlier.
fn touch(path: &Path) {
    let times = FileTimes::new().set_modified(SystemTime::now());
    let _ = File::open(path).and_then(|folder| folder.set_times(times));
}

/// Another agent may have been faster.
fn remove(path: &Path) {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "failed to remove kept databases");
        }
        _ => {}
    }
}

/// Removes what agents that were killed did not finish.
fn remove_unfinished(folder: &Path) {
    let left_behind = |kept: &Kept| kept.used.elapsed().is_ok_and(|age| age > WRITE_LIMIT);
    let unfinished = folders(folder).filter(|path| is_unfinished(path)).filter_map(Kept::of);
    for kept in unfinished.filter(left_behind) {
        remove(&kept.path);
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
