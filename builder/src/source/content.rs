//! The content of a source's files, as it was when they were hashed, or an error.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use super::{Error, Source};
use crate::pure::digest::hexadecimal;
use crate::pure::tree::Node;

/// Longest file that is taken as a text: no file that says something of a project is longer.
const TEXT_LIMIT: u64 = 4 << 20;

impl Source {
    /// Hands a reader of a regular file to `take`, and checks what was read: all of the file, and
    /// what it was when it was hashed.
    ///
    /// # Errors
    /// When `take` fails, as what `failed` makes of that; when the file is another by now.
    pub fn send<E: From<Error>>(
        &self,
        path: &Path,
        take: impl FnOnce(&mut dyn Read) -> io::Result<()>,
        failed: impl FnOnce(io::Error) -> E,
    ) -> Result<(), E> {
        let from = self.folder.join(path);
        let changed = || Error::Changed { path: from.clone() };
        let Some(Node::File { size, digest, .. }) = self.manifest.0.get(path) else {
            return Err(changed().into());
        };
        let file = open(&from).map_err(|source| Error::Read { path: from.clone(), source })?;
        let file = file.ok_or_else(changed)?;
        let mut input = Hashing { input: file.take(*size), hash: Sha256::new(), read: 0 };
        take(&mut input).map_err(failed)?;
        let at_end = matches!(input.input.into_inner().read(&mut [0]), Ok(0));
        match at_end && input.read == *size && hexadecimal(&input.hash.finalize()) == *digest {
            true => Ok(()),
            false => Err(changed().into()),
        }
    }

    /// Texts of those of these files that the project has, by path.
    ///
    /// # Errors
    /// When a file is another by now.
    pub fn texts<'a>(
        &self,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, String>, Error> {
        let mut texts = BTreeMap::new();
        for path in paths {
            let node = self.manifest.0.get(Path::new(path));
            if !matches!(node, Some(Node::File { size, .. }) if *size <= TEXT_LIMIT) {
                continue;
            }
            let mut bytes = Vec::new();
            let unreadable = |source| Error::Read { path: self.folder.join(path), source };
            let read = |input: &mut dyn Read| input.read_to_end(&mut bytes).map(drop);
            self.send(Path::new(path), read, unreadable)?;
            if let Ok(text) = String::from_utf8(bytes) {
                texts.insert(path.to_owned(), text);
            }
        }
        Ok(texts)
    }

    /// Copies all files into an empty folder.
    ///
    /// # Errors
    /// When a file is another by now, or the copy cannot be written.
    pub fn copy_to(&self, folder: &Path) -> Result<(), Error> {
        for (path, node) in &self.manifest.0 {
            let to = place(folder, path)?;
            let failed = |source| Error::Write { path: to.clone(), source };
            match node {
                Node::Link { target } => symlink(target, &to).map_err(failed)?,
                Node::File { executable, .. } => {
                    let mut file = File::create(&to).map_err(failed)?;
                    let copy = |input: &mut dyn Read| io::copy(input, &mut file).map(drop);
                    self.send(path, copy, failed)?;
                    set_mode(&file, *executable).map_err(failed)?;
                }
            }
        }
        Ok(())
    }
}

/// Where a file goes in a folder, the folders above it made.
pub(super) fn place(folder: &Path, path: &Path) -> Result<PathBuf, Error> {
    let to = folder.join(path);
    let above = to.parent().unwrap_or(folder);
    fs::create_dir_all(above).map_err(|source| Error::Write { path: above.to_owned(), source })?;
    Ok(to)
}

pub(super) fn set_mode(file: &File, executable: bool) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(if executable { 0o755 } else { 0o644 }))
}

/// Opens a regular file, never through a link and never waiting; none where it is gone.
pub(super) fn open(path: &Path) -> io::Result<Option<File>> {
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
    input: io::Take<File>,
    hash: Sha256,
    read: u64,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.hash.update(&buffer[..read]);
        self.read += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Checkout;

    #[test]
    fn a_file_that_changes_after_it_was_hashed_is_never_taken() {
        for (name, text) in [("other", "y = 2"), ("longer", "x = 11"), ("shorter", "x"), ("", "")] {
            let checkout = Checkout::new();
            checkout.write("a.py", "x = 1");
            let source = checkout.read();
            let copy = tempfile::tempdir().unwrap();
            checkout.write("a.py", text);
            let error = source.copy_to(copy.path()).unwrap_err();
            assert!(error.is_change(), "{name}: {error}");
            assert!(source.texts(["a.py"]).unwrap_err().is_change(), "{name}");
        }
    }

    #[test]
    fn a_file_that_is_gone_or_became_something_else_is_never_taken() {
        let checkout = Checkout::new();
        checkout.write("a.py", "x = 1");
        let source = checkout.read();
        checkout.remove("a.py");
        assert!(source.texts(["a.py"]).unwrap_err().is_change());
        std::fs::create_dir(checkout.path().join("a.py")).unwrap();
        assert!(source.texts(["a.py"]).unwrap_err().is_change());
    }
}
