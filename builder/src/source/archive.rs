//! A tree as a tar: for the same tree the same bytes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use crate::pure::tree::{Manifest, Node};

/// Modification time of everything in an archive: the first second of the year 2000. Zip files,
/// which tests make of what they find, know no time before 1980.
const TIME: u64 = 946_684_800;

/// Who owns what is in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owner {
    /// User id.
    pub user: u64,
    /// Group id.
    pub group: u64,
}

/// Writes a tree to a nameless file in `staging`, to be read from its start.
///
/// # Errors
/// When a file cannot be read or the archive cannot be written.
pub fn pack(
    manifest: &Manifest,
    folder: &Path,
    root: &Path,
    owner: Owner,
    staging: &Path,
) -> io::Result<File> {
    let mut archive = tempfile::tempfile_in(staging)?;
    write(manifest, folder, root, owner, BufWriter::new(&archive))?;
    archive.rewind()?;
    Ok(archive)
}

/// Writes a tree, whose files are in `folder`, as it is to appear below `root`; an empty root
/// leaves the paths as they are. The root and the folders in it belong to the owner too.
///
/// # Errors
/// When a file cannot be read or the archive cannot be written.
pub fn write(
    manifest: &Manifest,
    folder: &Path,
    root: &Path,
    owner: Owner,
    out: impl Write,
) -> io::Result<()> {
    let mut archive = Builder::new(out);
    if !root.as_os_str().is_empty() {
        append_folder(&mut archive, root, owner)?;
    }
    let mut folders = BTreeSet::new();
    for (path, node) in &manifest.0 {
        for above in folders_above(path) {
            if folders.insert(above.clone()) {
                append_folder(&mut archive, &root.join(above), owner)?;
            }
        }
        append(&mut archive, node, &folder.join(path), &root.join(path), owner)?;
    }
    archive.into_inner()?.flush()
}

/// The folders a path lies in, the outermost first.
fn folders_above(path: &Path) -> Vec<PathBuf> {
    let mut above: Vec<PathBuf> = path.ancestors().skip(1).map(Path::to_owned).collect();
    above.retain(|folder| !folder.as_os_str().is_empty());
    above.reverse();
    above
}

fn append_folder(archive: &mut Builder<impl Write>, path: &Path, owner: Owner) -> io::Result<()> {
    let mut header = header(EntryType::Directory, 0o755, owner);
    archive.append_data(&mut header, path, io::empty())
}

fn append(
    archive: &mut Builder<impl Write>,
    node: &Node,
    from: &Path,
    path: &Path,
    owner: Owner,
) -> io::Result<()> {
    match node {
        Node::Link { target } => {
            let mut header = header(EntryType::Symlink, 0o777, owner);
            archive.append_link(&mut header, path, target)
        }
        Node::File { executable, size, .. } => {
            let mode = if *executable { 0o755 } else { 0o644 };
            let mut header = header(EntryType::Regular, mode, owner);
            header.set_size(*size);
            archive.append_data(&mut header, path, File::open(from)?)
        }
    }
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
