//! Which databases are offered: `offers/KEY/ENTRY`, empty files, the newest of which were offered
//! last. The databases themselves are blobs, and an offer goes when its blob has gone.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use muletrain_proto::blob::Digest;
use muletrain_proto::offer::{LIMIT, Offer};

use super::Error;
use super::store::{Store, make_folder};

/// Keys of which offers are kept.
const KEYS: usize = 1024;

/// Offers in a folder.
#[derive(Debug)]
pub struct Offers {
    folder: PathBuf,
}

impl Offers {
    /// The offers in a folder, which is made once there are some.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// What is offered for a key and not known, the newest first.
    #[must_use]
    pub fn find(&self, store: &Store, key: &Digest, known: &[Digest]) -> Vec<Digest> {
        let folder = self.folder.join(key.hexadecimal());
        let mut found = Vec::new();
        for (path, entry) in newest(&folder) {
            if known.contains(&entry) {
                continue;
            }
            match store.missing(&[entry]).is_empty() {
                true => found.push(entry),
                false => forget(&path),
            }
        }
        found.truncate(LIMIT);
        found
    }

    /// Keeps an offer. Older ones go where there are many.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&self, offer: Offer) -> Result<(), Error> {
        let folder = self.folder.join(offer.key.hexadecimal());
        make_folder(&folder)?;
        let path = folder.join(offer.entry.hexadecimal());
        let written = File::create(&path).and_then(|file| file.set_modified(SystemTime::now()));
        written.map_err(|source| Error::Disk { path, source })?;
        newest(&folder).into_iter().skip(LIMIT).for_each(|(path, _)| forget(&path));
        newest(&self.folder).into_iter().skip(KEYS).for_each(|(path, _)| forget(&path));
        Ok(())
    }
}

/// What is in a folder and named by a digest, the last changed first.
fn newest(folder: &Path) -> Vec<(PathBuf, Digest)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(SystemTime, PathBuf, Digest)> = entries
        .filter_map(|entry| {
            let digest = Digest::from_hexadecimal(entry.file_name().to_str()?).ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, entry.path(), digest))
        })
        .collect();
    found.sort_unstable_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, path, digest)| (path, digest)).collect()
}

/// Removes an offer, or all of a key.
fn forget(path: &Path) {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "failed to remove an offer");
        }
        _ => {}
    }
}
