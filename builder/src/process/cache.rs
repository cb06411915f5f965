//! The builder's cache: copies of trees by their digest, and room for virtual environments.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::Error;
use crate::pure::digest::hexadecimal;
use crate::pure::tree::{Manifest, Node};
use crate::source::Source;

/// How long a tree stays that nobody uses.
const KEEP: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a part of an image stays: it is sent soon after it is made.
const KEEP_PARTS: Duration = Duration::from_secs(24 * 3600);

/// Folders and files that using a tree leaves in it, and that change nothing.
const HARMLESS: [&str; 2] = ["__pycache__", "build"];

/// A cache folder that several builders use at once.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Opens a cache, made if need be, and removes what nobody has used for a week.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let cache = Self { folder: folder.to_owned() };
        for part in
            ["trees", "environments", "temporary", "known", "anchors", "prepared", "used", "parts"]
        {
            let path = folder.join(part);
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&path);
            made.map_err(|source| Error::Cache { path, source })?;
        }
        let now = SystemTime::now();
        for part in ["trees", "temporary", "known", "anchors", "prepared"] {
            cache.sweep(&folder.join(part), now - KEEP);
        }
        cache.sweep(&cache.parts(), now - KEEP_PARTS);
        Ok(cache)
    }

    /// A folder that vanishes when it is dropped, on the cache's own disk.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn staging(&self) -> Result<TempDir, Error> {
        let folder = self.folder.join("temporary");
        TempDir::new_in(&folder).map_err(|source| Error::Cache { path: folder, source })
    }

    /// Where it is kept what files projects have.
    #[must_use]
    pub fn known(&self) -> PathBuf {
        self.folder.join("known")
    }

    /// Where it is recorded when images were used.
    #[must_use]
    pub fn used(&self) -> PathBuf {
        self.folder.join("used")
    }

    /// Where copies of trees are.
    pub(super) fn trees(&self) -> PathBuf {
        self.folder.join("trees")
    }

    /// Where it is kept what anchors hold.
    #[must_use]
    pub fn anchors(&self) -> PathBuf {
        self.folder.join("anchors")
    }

    /// Where it is kept what steps left that prepare projects.
    #[must_use]
    pub fn prepared(&self) -> PathBuf {
        self.folder.join("prepared")
    }

    /// Where parts of images are.
    #[must_use]
    pub fn parts(&self) -> PathBuf {
        self.folder.join("parts")
    }

    /// Where virtual environments are.
    pub(super) fn environments(&self) -> PathBuf {
        self.folder.join("environments")
    }

    /// Makes a copy of a source's files, by way of the folder `staging`, unless the cache has it,
    /// and returns its root.
    ///
    /// A tree that is there already is checked: one that was changed since is left to those who
    /// use it, and not taken.
    pub(super) fn keep(
        &self,
        source: &Source,
        staging: &Path,
    ) -> Result<PathBuf, crate::error::Error> {
        if let Some(root) = self.find(&source.manifest)? {
            return Ok(root);
        }
        let copy = staging.join("tree");
        fs::create_dir(&copy).map_err(|source| Error::Cache { path: copy.clone(), source })?;
        source.copy_to(&copy)?;
        Ok(self.take(&copy, &source.manifest)?)
    }

    /// The root of a tree that is as it was when it was kept.
    pub(super) fn find(&self, manifest: &Manifest) -> Result<Option<PathBuf>, Error> {
        for root in self.roots(manifest).take_while(|root| root.exists()) {
            // Another builder may be checking or sweeping it; what cannot be read is changed.
            if is_unchanged(&root, manifest).unwrap_or(false) {
                let touched = touch(&root).map(|()| root.clone());
                return touched.map(Some).map_err(|source| Error::Cache { path: root, source });
            }
        }
        Ok(None)
    }

    /// Takes a folder on the cache's disk as a tree, unless another builder was faster, and returns
    /// its root.
    pub(super) fn take(&self, copy: &Path, manifest: &Manifest) -> Result<PathBuf, Error> {
        for root in self.roots(manifest) {
            let failed = |source| Error::Cache { path: root.clone(), source };
            match fs::rename(copy, &root) {
                Ok(()) => return touch(&root).map(|()| root.clone()).map_err(failed),
                Err(error) if !is_taken(&error) => return Err(failed(error)),
                Err(_) if is_unchanged(&root, manifest).unwrap_or(false) => {
                    return touch(&root).map(|()| root.clone()).map_err(failed);
                }
                Err(_) => {}
            }
        }
        unreachable!("a free number comes before the last")
    }

    /// Where a tree may be, the first choice first.
    fn roots(&self, manifest: &Manifest) -> impl Iterator<Item = PathBuf> {
        let (folder, digest) = (self.trees(), manifest.digest());
        (0..).map(move |number| match number {
            0 => folder.join(&digest),
            number => folder.join(format!("{digest}.{number}")),
        })
    }

    /// Removes what is unused since a moment. What cannot be removed now can be later.
    fn sweep(&self, folder: &Path, before: SystemTime) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let time = entry.metadata().and_then(|metadata| metadata.modified());
            if time.is_ok_and(|time| time < before)
                && let Err(error) = remove(&entry)
            {
                tracing::warn!(path = %entry.path().display(), %error, "cannot remove");
            }
        }
    }
}

fn remove(entry: &fs::DirEntry) -> io::Result<()> {
    match entry.file_type()?.is_dir() {
        true => fs::remove_dir_all(entry.path()),
        false => fs::remove_file(entry.path()),
    }
}

fn is_taken(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists)
}

/// Marks a tree as used now.
fn touch(root: &Path) -> io::Result<()> {
    File::open(root)?.set_modified(SystemTime::now())
}

/// Whether a tree is still what it was when it was kept.
fn is_unchanged(root: &Path, manifest: &Manifest) -> io::Result<bool> {
    for (path, node) in &manifest.0 {
        let path = root.join(path);
        let same = match node {
            Node::Link { target } => fs::read_link(path)? == *target,
            Node::File { executable, size, digest } => {
                let metadata = fs::symlink_metadata(&path)?;
                metadata.is_file()
                    && metadata.len() == *size
                    && (metadata.permissions().mode() & 0o100 != 0) == *executable
                    && digest_of(&path)? == *digest
            }
        };
        if !same {
            return Ok(false);
        }
    }
    has_nothing_else(root, Path::new(""), manifest)
}

fn has_nothing_else(root: &Path, folder: &Path, manifest: &Manifest) -> io::Result<bool> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let same = match entry.file_type()?.is_dir() {
            true if is_harmless(&entry) => true,
            true => has_nothing_else(root, &path, manifest)?,
            false => manifest.0.contains_key(&path),
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a folder holds, but for bytecode.
pub(super) fn manifest_of(root: &Path) -> io::Result<Manifest> {
    let mut manifest = Manifest::default();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let (path, kind) = (folder.join(entry.file_name()), entry.file_type()?);
            let node = if kind.is_dir() {
                if entry.file_name() != "__pycache__" {
                    folders.push(path);
                }
                continue;
            } else if kind.is_symlink() {
                Node::Link { target: fs::read_link(entry.path())? }
            } else {
                let metadata = entry.metadata()?;
                let executable = metadata.permissions().mode() & 0o100 != 0;
                Node::File { executable, size: metadata.len(), digest: digest_of(&entry.path())? }
            };
            manifest.0.insert(path, node);
        }
    }
    Ok(manifest)
}

/// Whether a folder is one that using a tree leaves in it.
fn is_harmless(folder: &fs::DirEntry) -> bool {
    let name = folder.file_name();
    let name = name.to_string_lossy();
    HARMLESS.contains(&&*name) || name.ends_with(".egg-info")
}

fn digest_of(path: &Path) -> io::Result<String> {
    use sha2::Digest as _;
    let mut hash = sha2::Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 128 << 10];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
