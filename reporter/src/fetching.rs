//! Files of pods on their way into the run's directory, while the run is watched.
//!
//! Their names were checked where they were read, and none of them leaves that directory.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use muletrain_proto::artifact::Kind;
use muletrain_proto::blob::{Digest, Hash, Request};
use muletrain_proto::cli::chain;
use muletrain_proto::client::Address;
use muletrain_proto::client::blobs::{Blobs, Error as Refused};
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::content;
use crate::pure::around;

/// How often a file is tried.
const TRIES: u32 = 5;

/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(500);

/// Largest file of a report on coverage that is unpacked, in bytes.
const MEMBER_LIMIT: u64 = 256 << 20;

/// Why a file is not there.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Scheduler(#[from] Refused),
    #[error("it cannot be written")]
    Disk(#[from] io::Error),
    #[error("something else arrived")]
    Other,
}

/// Fetches files one after the other.
#[derive(Debug)]
pub struct Fetching {
    wanted: UnboundedSender<Wanted>,
    task: JoinHandle<Vec<String>>,
}

#[derive(Debug)]
struct Wanted {
    digest: Digest,
    place: String,
    unpack: bool,
}

impl Fetching {
    /// Begins to fetch from a scheduler into a run's directory.
    #[must_use]
    pub fn begin(scheduler: Address, directory: PathBuf) -> Self {
        let (wanted, asked) = unbounded_channel();
        let task = tokio::spawn(fetch_all(scheduler, directory, asked));
        Self { wanted, task }
    }

    /// Asks for a file, if it is one to keep.
    pub fn want(&self, file: &around::File) {
        if let (Some(digest), Some(place)) = (file.artifact.digest, &file.place) {
            let unpack = file.artifact.kind == Kind::Report && place.ends_with(".tar");
            // Whoever fetches lives as long as this.
            let _ = self.wanted.send(Wanted { digest, place: place.clone(), unpack });
        }
    }

    /// Waits for all of them; what could not be had, in words.
    pub async fn end(self) -> Vec<String> {
        drop(self.wanted);
        self.task.await.unwrap_or_else(|error| vec![error.to_string()])
    }
}

async fn fetch_all(
    scheduler: Address,
    directory: PathBuf,
    mut asked: UnboundedReceiver<Wanted>,
) -> Vec<String> {
    let mut missing = Vec::new();
    while let Some(wanted) = asked.recv().await {
        let mut tries = 0;
        let fetched = loop {
            tries += 1;
            match fetch(&scheduler, &directory, &wanted).await {
                Err(Error::Scheduler(error)) if error.is_passing() && tries < TRIES => {
                    tokio::time::sleep(PAUSE).await;
                }
                result => break result,
            }
        };
        if let Err(error) = fetched {
            missing.push(format!("{} could not be fetched: {}", wanted.place, chain(&error)));
        }
    }
    missing
}

async fn fetch(scheduler: &Address, directory: &Path, wanted: &Wanted) -> Result<(), Error> {
    let path = directory.join(&wanted.place);
    let folder = path.parent().unwrap_or(directory).to_owned();
    tokio::fs::create_dir_all(&folder).await?;
    if !wanted.unpack && content::link(directory, wanted.digest, &path) {
        return Ok(());
    }
    let beside = tempfile::Builder::new().prefix(".arriving").tempfile_in(&folder)?;
    let mut file = File::from_std(beside.as_file().try_clone()?);
    let request = Request { digest: wanted.digest, offset: 0 };
    let mut download = Blobs::connect(scheduler).await?.get(request).await?;
    let mut hash = Hash::default();
    while let Some(piece) = download.piece().await? {
        hash.update(&piece);
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    if hash.finish() != wanted.digest {
        return Err(Error::Other);
    }
    match wanted.unpack {
        true => unpack(&mut beside.reopen()?, directory)?,
        false => {
            beside.persist(&path).map_err(|error| error.error)?;
            content::keep(directory, wanted.digest, &path);
        }
    }
    Ok(())
}

/// Writes the files of an archive below a directory. What is neither a file nor below is left out.
fn unpack(archive: &mut impl io::Read, directory: &Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !entry.header().entry_type().is_file() || !is_below || entry.size() > MEMBER_LIMIT {
            continue;
        }
        let path = directory.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(directory))?;
        io::copy(&mut entry, &mut std::fs::File::create(path)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_writes_files_below_its_directory_and_nothing_else() {
        let mut builder = tar::Builder::new(Vec::new());
        let mut add = |name: &[u8], kind: tar::EntryType| {
            let mut header = tar::Header::new_ustar();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name);
            header.set_size(4);
            header.set_mode(0o644);
            header.set_entry_type(kind);
            header.set_cksum();
            builder.append(&header, &b"text"[..]).unwrap();
        };
        add(b"html/index.html", tar::EntryType::Regular);
        add(b"../outside", tar::EntryType::Regular);
        add(b"/tmp/outside-of-all", tar::EntryType::Regular);
        add(b"html/link", tar::EntryType::Symlink);
        let bytes = builder.into_inner().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("run");
        unpack(&mut bytes.as_slice(), &inside).unwrap();
        assert_eq!(std::fs::read_to_string(inside.join("html/index.html")).unwrap(), "text");
        let names = |path: &Path| std::fs::read_dir(path).unwrap().count();
        assert_eq!((names(folder.path()), names(&inside), names(&inside.join("html"))), (1, 1, 1));
    }
}
