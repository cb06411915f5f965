//! What an anchor holds: what was put into it, and what its base has in the same place.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::ops::Bound;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::records::{self, number};
use super::tree::{Manifest, Node};

/// What a written holding begins with.
const PURPOSE: &str = "muletrain anchor 2";

/// What an anchor holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holding {
    /// The project's files, relative to its root.
    pub manifest: Manifest,
    /// What the base has below the root, covered by the project or not.
    pub base: Base,
    /// Folders above the root, the outermost first.
    pub above: Vec<Above>,
}

/// What a base has below a root: an anchor shows it, except where the project's files cover it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Base {
    /// Its files, links and folders.
    pub paths: BTreeSet<PathBuf>,
    /// Those of its folders in which nobody looked.
    pub closed: BTreeSet<PathBuf>,
}

/// A folder above the root. A layer that names something in it must say what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Above {
    /// Its path without the leading slash.
    pub path: PathBuf,
    /// Its permissions.
    pub mode: u32,
    /// Its user.
    pub user: u64,
    /// Its group.
    pub group: u64,
}

impl Base {
    /// Whether hiding a path hides something of the base, or may.
    #[must_use]
    pub fn is_at(&self, path: &Path) -> bool {
        self.paths.contains(path) || self.is_below(path)
    }

    /// Whether the base has something in a folder, or may.
    #[must_use]
    pub fn is_below(&self, path: &Path) -> bool {
        let after = (Bound::Excluded(path), Bound::Unbounded);
        let has = |paths: &BTreeSet<PathBuf>| {
            paths.range::<Path, _>(after).next().is_some_and(|next| next.starts_with(path))
        };
        has(&self.paths) || has(&self.closed) || path.ancestors().any(|it| self.closed.contains(it))
    }
}

impl Holding {
    /// What an anchor with these files holds, of whose base a listing was made: records as
    /// [`records`] reads them, of the folders above the root and the files below it.
    #[must_use]
    pub fn new(manifest: Manifest, listing: &[u8]) -> Option<Self> {
        Some(Self { manifest, ..Self::parse(listing)? })
    }

    /// What the base has and the project's files do not cover.
    pub fn strangers(&self) -> impl Iterator<Item = &PathBuf> {
        let covered = |path: &Path| path.ancestors().any(|it| self.manifest.0.contains_key(it));
        self.base.paths.iter().filter(move |path| !covered(path))
    }

    /// The project's files that cover something that the base has by the same names.
    #[must_use]
    pub fn covering(&self) -> Manifest {
        self.manifest.only(|path| self.base.paths.contains(path))
    }

    /// As bytes that [`Holding::parse`] understands.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let bytes = |path: &Path| path.as_os_str().as_bytes().to_vec();
        let none = Vec::new;
        let files = self.manifest.0.iter().map(|(path, node)| match node {
            Node::Link { target } => [b"l".to_vec(), bytes(path), bytes(target), none(), none()],
            Node::File { executable, size, digest } => {
                let kind = if *executable { b"x" } else { b"f" };
                let size = size.to_string().into_bytes();
                [kind.to_vec(), bytes(path), digest.clone().into_bytes(), size, none()]
            }
        });
        let base = [(b"b", &self.base.paths), (b"c", &self.base.closed)];
        let base = base.into_iter().flat_map(|(kind, paths)| {
            let record = move |path: &PathBuf| [kind.to_vec(), bytes(path), none(), none(), none()];
            paths.iter().map(record)
        });
        let above = self.above.iter().map(|folder| {
            let numbers =
                [folder.mode.to_string(), folder.user.to_string(), folder.group.to_string()];
            let [mode, user, group] = numbers.map(String::into_bytes);
            [b"d".to_vec(), bytes(&folder.path), mode, user, group]
        });
        records::write(PURPOSE, above.chain(base).chain(files))
    }

    /// Reads what was written; none where it is damaged.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut holding = Self::default();
        for [kind, path, a, b, c] in records::read::<5>(PURPOSE, bytes)? {
            let path = path_of(path);
            match kind {
                b"f" | b"x" => {
                    let digest = std::str::from_utf8(a).ok()?.to_owned();
                    let node = Node::File { executable: kind == b"x", size: number(b)?, digest };
                    holding.manifest.0.insert(path, node);
                }
                b"l" => drop(holding.manifest.0.insert(path, Node::Link { target: path_of(a) })),
                b"b" => drop(holding.base.paths.insert(path)),
                b"c" => drop(holding.base.closed.insert(path)),
                b"d" => holding.above.push(Above {
                    path,
                    mode: number(a)?,
                    user: number(b)?,
                    group: number(c)?,
                }),
                _ => return None,
            }
        }
        Some(holding)
    }
}

fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holding_reads_back_as_it_was_written() {
        let odd = path_of(b"caf\xe9 \n.py");
        let file = Node::File { executable: true, size: 3, digest: "d".repeat(64) };
        let link = Node::Link { target: "../a b".into() };
        let holding = Holding {
            manifest: Manifest([(odd, file), ("b/c".into(), link)].into()),
            base: Base { paths: ["b/old.py".into()].into(), closed: ["c".into()].into() },
            above: vec![Above { path: "srv".into(), mode: 0o755, user: 0, group: 5 }],
        };
        let bytes = holding.write();
        assert_eq!(Holding::parse(&bytes).as_ref(), Some(&holding));
        assert_eq!(Holding::parse(&bytes[..bytes.len() - 9]), None);
        assert_eq!(Holding::parse(b"<html>"), None);
    }

    #[test]
    fn what_the_project_covers_is_no_stranger() {
        let listed = ["a.py", "b/c.py", "b/d.py", "e"].map(|path| ["b", path, "", "", ""]);
        let file = || Node::File { executable: false, size: 0, digest: String::new() };
        let manifest = Manifest([("a.py".into(), file()), ("b".into(), file())].into());
        let holding = Holding::new(manifest, &records::write(PURPOSE, listed)).unwrap();
        assert_eq!(holding.strangers().collect::<Vec<_>>(), ["e"]);
        assert_eq!(holding.covering().texts().collect::<Vec<_>>(), ["a.py"]);
    }
}
