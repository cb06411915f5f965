//! A tree, or what changed in one, as a tar: for the same files the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use super::{Error, Source};
use crate::pure::tree::{Manifest, Node};

/// Modification time of everything in an archive: the first second of the year 2000. Zip files,
/// which tests make of what they find, know no time before 1980.
pub const TIME: u64 = 946_684_800;

/// What the name of a file begins with that hides one of a lower layer.
const WHITEOUT: &str = ".wh.";

/// Who owns what is in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owner {
    /// User id.
    pub user: u64,
    /// Group id.
    pub group: u64,
}

/// What an archive holds.
#[derive(Debug)]
pub struct Contents<'a> {
    /// Files and links, relative to the root.
    pub files: Manifest,
    /// Files and folders of lower layers that are hidden, relative to the root.
    pub gone: BTreeSet<PathBuf>,
    /// Folders above the root, with their modes and owners, where they must be told.
    pub above: Vec<(PathBuf, u32, Owner)>,
    /// Where all of it appears, relative to the archive; an empty root leaves paths as they are.
    pub root: &'a Path,
    /// Who owns the files, the root and the folders in it.
    pub owner: Owner,
    /// Further files, by their path in the archive, which belong to nobody in particular.
    pub further: BTreeMap<&'a Path, &'a [u8]>,
}

impl<'a> Contents<'a> {
    /// An archive of nothing, to appear below a root.
    #[must_use]
    pub fn new(root: &'a Path) -> Self {
        Self {
            files: Manifest::default(),
            gone: BTreeSet::new(),
            above: Vec::new(),
            root,
            owner: Owner::default(),
            further: BTreeMap::new(),
        }
    }

    /// Writes an archive to a nameless file in `staging`, to be read from its start.
    ///
    /// # Errors
    /// When a file of the source is another by now, or the archive cannot be written.
    pub fn pack(&self, source: &Source, staging: &Path) -> Result<File, Error> {
        let failed = |source| Error::Write { path: staging.to_owned(), source };
        let mut archive = tempfile::tempfile_in(staging).map_err(failed)?;
        self.write(source, BufWriter::new(&archive), staging)?;
        archive.rewind().map_err(failed)?;
        Ok(archive)
    }

    /// Writes an archive of files of a source; `place` is told where it cannot be written.
    ///
    /// # Errors
    /// When a file of the source is another by now, or the archive cannot be written.
    pub fn write(&self, source: &Source, out: impl Write, place: &Path) -> Result<(), Error> {
        let failed = |source| Error::Write { path: place.to_owned(), source };
        let mut archive = Builder::new(out);
        for (path, mode, owner) in &self.above {
            append_folder(&mut archive, path, *mode, *owner).map_err(failed)?;
        }
        if !self.root.as_os_str().is_empty() {
            append_folder(&mut archive, self.root, 0o755, self.owner).map_err(failed)?;
        }
        let mut folders = BTreeSet::new();
        let files = self.files.0.iter().map(|(path, node)| (path, Some(node)));
        let entries: BTreeMap<_, _> =
            self.gone.iter().map(|path| (path, None)).chain(files).collect();
        for (path, node) in entries {
            for above in folders_above(path) {
                if folders.insert(above.clone()) {
                    append_folder(&mut archive, &self.root.join(above), 0o755, self.owner)
                        .map_err(failed)?;
                }
            }
            let to = self.root.join(path);
            match node {
                None => append_whiteout(&mut archive, &to).map_err(failed)?,
                Some(Node::Link { target }) => {
                    let mut header = header(EntryType::Symlink, 0o777, self.owner);
                    archive.append_link(&mut header, &to, target).map_err(failed)?;
                }
                Some(Node::File { executable, size, .. }) => {
                    let mode = if *executable { 0o755 } else { 0o644 };
                    let mut header = header(EntryType::Regular, mode, self.owner);
                    header.set_size(*size);
                    let append =
                        |input: &mut dyn Read| archive.append_data(&mut header, &to, input);
                    source.send(path, append, failed)?;
                }
            }
        }
        for (path, bytes) in &self.further {
            append_bytes(&mut archive, path, bytes).map_err(failed)?;
        }
        archive.into_inner().and_then(|mut out| out.flush()).map_err(failed)
    }
}

/// The folders a path lies in, the outermost first.
#[must_use]
pub fn folders_above(path: &Path) -> Vec<PathBuf> {
    let mut above: Vec<PathBuf> = path.ancestors().skip(1).map(Path::to_owned).collect();
    above.retain(|folder| !folder.as_os_str().is_empty());
    above.reverse();
    above
}

/// Appends a file that no source has.
///
/// # Errors
/// When the archive cannot be written.
pub fn append_bytes(
    archive: &mut Builder<impl Write>,
    path: &Path,
    bytes: &[u8],
) -> io::Result<()> {
    let mut header = header(EntryType::Regular, 0o644, Owner::default());
    header.set_size(bytes.len() as u64);
    archive.append_data(&mut header, path, bytes)
}

fn append_folder(
    archive: &mut Builder<impl Write>,
    path: &Path,
    mode: u32,
    owner: Owner,
) -> io::Result<()> {
    let mut header = header(EntryType::Directory, mode, owner);
    archive.append_data(&mut header, path, io::empty())
}

fn append_whiteout(archive: &mut Builder<impl Write>, path: &Path) -> io::Result<()> {
    let mut name = OsString::from(WHITEOUT);
    name.push(path.file_name().unwrap_or_default());
    let mut header = header(EntryType::Regular, 0o600, Owner::default());
    archive.append_data(&mut header, path.with_file_name(name), io::empty())
}

fn header(kind: EntryType, mode: u32, owner: Owner) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(owner.user);
    header.set_gid(owner.group);
    header.set_mtime(TIME);
    header.set_size(0);
    header
}
