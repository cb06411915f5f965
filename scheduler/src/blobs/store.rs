//! The folder of blobs: `sha256/ab/HEX` for whole ones, `unfinished/HEX` for what broke off.
//!
//! A file gets its name among the whole ones by being renamed, after its digest was found right.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use muletrain_proto::blob::{CONFIGURATION_LIMIT, Digest, Image, Request, Upload};

use super::index::{Entry, Index};
use super::turns::{Turn, Turns};
use super::{Error, Receiving};

/// Blobs on a disk, as many bytes of them as there may be.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    limit: u64,
    index: Mutex<Index>,
    turns: Turns<Digest>,
}

impl Store {
    /// Opens the blobs in a folder, which is made if need be; at most `limit` bytes of them stay.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: &Path, limit: u64) -> Result<Self, Error> {
        let mut index = Index::default();
        let whole = folder.join("sha256");
        for part in [&whole, &folder.join("unfinished")] {
            make_folder(part)?;
        }
        for shelf in entries(&whole)? {
            index.kept.extend(blobs(&shelf.path())?);
        }
        index.broken.extend(blobs(&folder.join("unfinished"))?);
        let (index, turns) = (Mutex::new(index), Turns::default());
        Ok(Self { folder: folder.to_owned(), limit, index, turns })
    }

    /// The folder of what belongs to blobs and is none.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Those of these blobs that are not there. Those that are count as used.
    #[must_use]
    pub fn missing(&self, digests: &[Digest]) -> Vec<Digest> {
        digests.iter().filter(|digest| !self.touch(digest)).copied().collect()
    }

    /// Bytes that are there of an upload that broke off.
    #[must_use]
    pub fn had(&self, digest: &Digest) -> u64 {
        fs::metadata(self.unfinished(digest)).map_or(0, |metadata| metadata.len())
    }

    /// Waits until nobody else sends a blob.
    pub async fn turn(&self, digest: Digest) -> Turn {
        self.turns.of(digest).await
    }

    /// Begins to take a blob in; none when it is there. What is needed does not go for it.
    ///
    /// # Errors
    /// When there is no room, or less of it is there than was said.
    pub fn begin(
        self: &Arc<Self>,
        turn: Turn,
        upload: Upload,
        needed: &BTreeSet<Digest>,
    ) -> Result<Option<Receiving>, Error> {
        let Upload { digest, size, offset } = upload;
        if self.touch(&digest) {
            return Ok(None);
        }
        if offset > size {
            return Err(Error::Long { digest, size });
        }
        let had = self.had(&digest);
        if offset > had {
            return Err(Error::Offset { digest, had });
        }
        self.make_room(upload, needed)?;
        Receiving::open(self.clone(), turn, upload).map(Some)
    }

    /// Makes room for a blob, and holds it.
    fn make_room(&self, upload: Upload, needed: &BTreeSet<Digest>) -> Result<(), Error> {
        let Upload { digest, size, .. } = upload;
        let mut index = self.index();
        let broken = index.broken.remove(&digest);
        let now = SystemTime::now();
        let Some(chosen) = index.make_room(size, self.limit, needed, now) else {
            index.broken.extend(broken.map(|entry| (digest, entry)));
            return Err(Error::Full { size, limit: self.limit });
        };
        for digest in chosen {
            let path = match index.kept.remove(&digest) {
                Some(_) => self.path(&digest),
                None => {
                    index.broken.remove(&digest);
                    self.unfinished(&digest)
                }
            };
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::Disk { path, source });
                }
                _ => tracing::info!(%digest, "made room"),
            }
        }
        index.arriving.insert(digest, size);
        Ok(())
    }

    /// Takes in a file that has turned out to be the blob.
    pub(super) fn keep(&self, digest: Digest, size: u64) -> Result<(), Error> {
        let path = self.path(&digest);
        make_folder(path.parent().unwrap_or(&self.folder))?;
        fs::rename(self.unfinished(&digest), &path)
            .map_err(|source| Error::Disk { path, source })?;
        self.index().kept.insert(digest, Entry { size, used: SystemTime::now() });
        Ok(())
    }

    /// An upload is over; `left` bytes of it stay, to be gone on with.
    pub(super) fn release(&self, digest: &Digest, left: u64) {
        let mut index = self.index();
        index.arriving.remove(digest);
        if left > 0 && !index.kept.contains_key(digest) {
            index.broken.insert(*digest, Entry { size: left, used: SystemTime::now() });
        }
    }

    /// Opens a blob at an offset, with all bytes it has; none when it is not there.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, request: Request) -> Result<Option<(u64, File)>, Error> {
        if !self.touch(&request.digest) {
            return Ok(None);
        }
        let path = self.path(&request.digest);
        let open = || {
            let mut file = File::open(&path)?;
            file.seek(SeekFrom::Start(request.offset))?;
            Ok((file.metadata()?.len(), file))
        };
        open().map(Some).map_err(|source| Error::Disk { path: path.clone(), source })
    }

    /// Removes a blob whose file turned out to hold something else.
    pub fn discard(&self, digest: &Digest) {
        self.index().kept.remove(digest);
        // It may be gone already.
        let _ = fs::remove_file(self.path(digest));
    }

    /// The parts of an image, as far as its configuration is here.
    #[must_use]
    pub fn parts(&self, image: Digest) -> BTreeSet<Digest> {
        let mut text = vec![];
        let read = File::open(self.path(&image))
            .and_then(|file| file.take(CONFIGURATION_LIMIT).read_to_end(&mut text));
        let layers = read.ok().and_then(|_| Image::read(&text).ok()).map(|image| image.layers);
        layers.into_iter().flatten().chain([image]).collect()
    }

    /// Notes that a blob is used; whether it is there.
    fn touch(&self, digest: &Digest) -> bool {
        let mut index = self.index();
        let Some(entry) = index.kept.get_mut(digest) else { return false };
        entry.used = SystemTime::now();
        let touched = File::open(self.path(digest)).and_then(|file| file.set_modified(entry.used));
        if touched.is_err() {
            // Somebody else removed it.
            index.kept.remove(digest);
        }
        touched.is_ok()
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let name = digest.hexadecimal();
        self.folder.join("sha256").join(&name[..2]).join(name)
    }

    pub(super) fn unfinished(&self, digest: &Digest) -> PathBuf {
        self.folder.join("unfinished").join(digest.hexadecimal())
    }
}

/// Opens a file that only its owner may read, made if need be.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)
}

pub(super) fn make_folder(path: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| Error::Disk { path: path.to_owned(), source })
}

fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>, Error> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect);
    entries.map_err(|source| Error::Disk { path: folder.to_owned(), source })
}

/// Files that are named by digests.
fn blobs(folder: &Path) -> Result<Vec<(Digest, Entry)>, Error> {
    let entry = |file: fs::DirEntry| {
        let digest = Digest::from_hexadecimal(file.file_name().to_str()?).ok()?;
        let metadata = file.metadata().ok()?;
        Some((digest, Entry { size: metadata.len(), used: metadata.modified().ok()? }))
    };
    Ok(entries(folder)?.into_iter().filter_map(entry).collect())
}
