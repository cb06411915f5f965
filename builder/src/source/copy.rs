//! Copying a project's files, each read once and hashed on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use super::Error;
use crate::pure::digest::hexadecimal;
use crate::pure::private;
use crate::pure::tree::{Manifest, Node, may_hold, stays_inside};

/// Files of one kind that a note names.
const NAMED: usize = 5;

/// Copies files, given by their paths and whether git tracks them, into an empty folder.
/// Returns what was copied, and notes on what was not.
pub(super) fn copy(
    project: &Path,
    paths: &BTreeMap<PathBuf, bool>,
    folder: &Path,
) -> Result<(Manifest, Vec<String>), Error> {
    let mut copier =
        Copier { project, folder, folders: BTreeSet::new(), left_out: BTreeMap::new() };
    let mut manifest = Manifest::default();
    for (path, tracked) in paths.iter().filter(|(path, _)| may_hold(path)) {
        if let Some(node) = copier.copy(path, *tracked)? {
            manifest.0.insert(path.clone(), node);
        }
    }
    let notes = copier.left_out.iter().map(|(why, paths)| note(why, paths)).collect();
    Ok((manifest, notes))
}

struct Copier<'a> {
    project: &'a Path,
    folder: &'a Path,
    /// Folders known to be real ones, and made in the copy.
    folders: BTreeSet<PathBuf>,
    /// Paths that stay out, by the reason.
    left_out: BTreeMap<&'static str, Vec<PathBuf>>,
}

impl Copier<'_> {
    /// Copies one file; none where it is gone, or stays out.
    fn copy(&mut self, path: &Path, tracked: bool) -> Result<Option<Node>, Error> {
        let from = self.project.join(path);
        if !self.is_in_real_folders(path)? {
            return Ok(None);
        }
        let kind = match from.symlink_metadata() {
            Ok(metadata) => metadata.file_type(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Read { path: from, source }),
        };
        match () {
            () if !tracked && private::is_secret_name(path) => {
                self.leave_out(path, "not tracked by git and named like a file of secrets")
            }
            () if kind.is_symlink() => self.copy_link(path, &from),
            () if kind.is_file() => self.copy_file(path, &from, tracked),
            () if kind.is_dir() => Ok(None),
            () => self.leave_out(path, "neither a file nor a link"),
        }
    }

    fn copy_link(&mut self, path: &Path, from: &Path) -> Result<Option<Node>, Error> {
        let target =
            fs::read_link(from).map_err(|source| Error::Read { path: from.to_owned(), source })?;
        if !stays_inside(path, &target) {
            return self.leave_out(path, "a link that leads out of the project");
        }
        let to = self.place(path)?;
        symlink(&target, &to).map_err(|source| Error::Write { path: to, source })?;
        Ok(Some(Node::Link { target }))
    }

    fn copy_file(
        &mut self,
        path: &Path,
        from: &Path,
        tracked: bool,
    ) -> Result<Option<Node>, Error> {
        let unreadable = |source| Error::Read { path: from.to_owned(), source };
        let Some(mut input) = open(from).map_err(unreadable)? else { return Ok(None) };
        let mode = input.metadata().map_err(unreadable)?.permissions().mode();
        let mut head = Vec::with_capacity(private::HEAD);
        (&mut input).take(private::HEAD as u64).read_to_end(&mut head).map_err(unreadable)?;
        if !tracked && private::is_key(&head) {
            return self.leave_out(path, "not tracked by git and a private key");
        }
        let to = self.place(path)?;
        let failed = |source| Error::Write { path: to.clone(), source };
        let mut output = Hashing { file: File::create(&to).map_err(failed)?, hash: Sha256::new() };
        let mut size = head.len() as u64;
        output.write_all(&head).map_err(failed)?;
        size += std::io::copy(&mut input, &mut output).map_err(failed)?;
        let executable = mode & 0o100 != 0;
        let mode = if executable { 0o755 } else { 0o644 };
        output.file.set_permissions(Permissions::from_mode(mode)).map_err(failed)?;
        let digest = hexadecimal(&output.hash.finalize());
        Ok(Some(Node::File { executable, size, digest }))
    }

    /// Where a file goes in the copy, its folder made.
    fn place(&self, path: &Path) -> Result<PathBuf, Error> {
        let to = self.folder.join(path);
        let folder = to.parent().unwrap_or(self.folder);
        fs::create_dir_all(folder)
            .map_err(|source| Error::Write { path: folder.to_owned(), source })?;
        Ok(to)
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

    fn leave_out(&mut self, path: &Path, why: &'static str) -> Result<Option<Node>, Error> {
        self.left_out.entry(why).or_default().push(path.to_owned());
        Ok(None)
    }
}

/// Says which files stay out and why, naming a few.
fn note(why: &str, paths: &[PathBuf]) -> String {
    let named: Vec<String> = paths.iter().take(NAMED).map(|it| it.display().to_string()).collect();
    let more = match paths.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("left out {}{more}: {why}", named.join(", "))
}

/// Opens a regular file, never through a link and never waiting; none where it is gone.
fn open(path: &Path) -> std::io::Result<Option<File>> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    #[expect(clippy::cast_possible_wrap, reason = "open(2) takes its flags as an int")]
    let flags = flags.bits() as i32;
    match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

struct Hashing {
    file: File,
    hash: Sha256,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
