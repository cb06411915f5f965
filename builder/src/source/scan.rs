//! Telling what a project's files are, without reading again what looks as it did before.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use super::content::open;
use super::known::Kept;
use super::{Error, Listing, Source};
use crate::pure::digest::hexadecimal;
use crate::pure::left_out::{LeftOut, Reason};
use crate::pure::private::{KeySearch, is_secret_name};
use crate::pure::stat::{Known, Seen, Stat};
use crate::pure::tree::{Manifest, Node, is_mark, may_hold, stays_inside};

/// Bytes read at once.
const BLOCK: usize = 128 << 10;

/// Reads the files of a listing, except those known from before in the folder `cache`.
pub(super) fn scan(listing: Listing, cache: Option<&Path>) -> Result<Source, Error> {
    let kept = Kept::load(cache, &listing.folder);
    let mut scanner = Scanner {
        project: &listing.folder,
        before: &kept.known,
        known: Known::default(),
        now: SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |now| i128::try_from(now.as_nanos()).unwrap_or_default()),
        folders: BTreeSet::new(),
        left_out: listing.left_out,
        keys: Vec::new(),
        block: vec![0; BLOCK],
    };
    let mut manifest = Manifest::default();
    for (path, tracked) in listing.paths.iter().filter(|(path, _)| may_hold(path)) {
        if let Some(node) = scanner.node(path, *tracked)? {
            manifest.0.insert(path.clone(), node);
        }
    }
    let Scanner { known, left_out, keys, .. } = scanner;
    kept.replace(&known);
    let Listing { folder, revision, .. } = listing;
    Ok(Source { folder, manifest, revision, left_out, keys })
}

struct Scanner<'a> {
    project: &'a Path,
    before: &'a Known,
    known: Known,
    now: i128,
    /// Folders known to be real ones.
    folders: BTreeSet<PathBuf>,
    left_out: LeftOut,
    keys: Vec<PathBuf>,
    block: Vec<u8>,
}

impl Scanner<'_> {
    /// What a path is; none where it is gone, or stays out.
    fn node(&mut self, path: &Path, tracked: bool) -> Result<Option<Node>, Error> {
        let from = self.project.join(path);
        if !self.is_in_real_folders(path)? {
            return Ok(None);
        }
        let metadata = match from.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Read { path: from, source }),
        };
        match () {
            () if is_mark(path) => self.leave_out(path, Reason::Mark),
            () if !tracked && is_secret_name(path) => self.leave_out(path, Reason::SecretName),
            () if metadata.is_symlink() => self.link(path, &from),
            () if metadata.is_file() => self.file(path, &from, &metadata, tracked),
            () if metadata.is_dir() => Ok(None),
            () => self.leave_out(path, Reason::Special),
        }
    }

    fn link(&mut self, path: &Path, from: &Path) -> Result<Option<Node>, Error> {
        let target =
            fs::read_link(from).map_err(|source| Error::Read { path: from.to_owned(), source })?;
        match stays_inside(path, &target) {
            true => Ok(Some(Node::Link { target })),
            false => self.leave_out(path, Reason::OutsideLink),
        }
    }

    fn file(
        &mut self,
        path: &Path,
        from: &Path,
        metadata: &Metadata,
        tracked: bool,
    ) -> Result<Option<Node>, Error> {
        let executable = metadata.permissions().mode() & 0o100 != 0;
        let stat = stat(metadata);
        let (stat, seen) = match self.before.get(path, &stat) {
            Some(seen) => (stat, seen.clone()),
            None => match self.hash(from)? {
                Some(read) => read,
                None => return Ok(None),
            },
        };
        self.known.insert(path, stat, seen.clone(), self.now);
        match (seen.is_key, tracked) {
            (true, true) => self.keys.push(path.to_owned()),
            (true, false) => return self.leave_out(path, Reason::Key),
            (false, _) => {}
        }
        Ok(Some(Node::File { executable, size: stat.size, digest: seen.digest }))
    }

    /// Reads a file; none where it is gone.
    fn hash(&mut self, from: &Path) -> Result<Option<(Stat, Seen)>, Error> {
        let unreadable = |source| Error::Read { path: from.to_owned(), source };
        let Some(mut input) = open(from).map_err(unreadable)? else { return Ok(None) };
        let before = stat(&input.metadata().map_err(unreadable)?);
        let (mut hash, mut size, mut keys) = (Sha256::new(), 0, KeySearch::default());
        loop {
            let read = input.read(&mut self.block).map_err(unreadable)?;
            if read == 0 {
                break;
            }
            keys.add(&self.block[..read]);
            hash.update(&self.block[..read]);
            size += read as u64;
        }
        let after = stat(&input.metadata().map_err(unreadable)?);
        if before != after || size != after.size {
            return Err(Error::Changed { path: from.to_owned() });
        }
        Ok(Some((after, Seen { digest: hexadecimal(&hash.finalize()), is_key: keys.found() })))
    }

    /// Whether no folder above a file is a link: such a file is not what git tracks there.
    fn is_in_real_folders(&mut self, path: &Path) -> Result<bool, Error> {
        let mut real = Vec::new();
        for folder in path.ancestors().skip(1).filter(|part| !part.as_os_str().is_empty()) {
            if self.folders.contains(folder) {
                break;
            }
            let from = self.project.join(folder);
            match from.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => real.push(folder.to_owned()),
                Ok(_) => return Ok(false),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
                Err(source) => return Err(Error::Read { path: from, source }),
            }
        }
        // Only now is it known that none of them lies below a link.
        self.folders.extend(real);
        Ok(true)
    }

    fn leave_out(&mut self, path: &Path, reason: Reason) -> Result<Option<Node>, Error> {
        self.left_out.add(path.to_owned(), reason);
        Ok(None)
    }
}

fn stat(metadata: &Metadata) -> Stat {
    let time = |seconds: i64, nanoseconds: i64| {
        i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
    };
    Stat {
        size: metadata.len(),
        modified: time(metadata.mtime(), metadata.mtime_nsec()),
        changed: time(metadata.ctime(), metadata.ctime_nsec()),
        inode: metadata.ino(),
    }
}
