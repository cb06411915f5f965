//! What a project's files are, once and for all: path, mode and digest of each.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::digest::Digest;

/// Files and links of a tree by their path relative to its root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest(pub BTreeMap<PathBuf, Node>);

/// A file or a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A regular file.
    File {
        /// Whether it may be executed.
        executable: bool,
        /// Bytes it has.
        size: u64,
        /// SHA-256 of its content, in hexadecimal.
        digest: String,
    },
    /// A symbolic link.
    Link {
        /// What it points to, as written in it.
        target: PathBuf,
    },
}

impl Manifest {
    /// Digest of everything in the tree.
    #[must_use]
    pub fn digest(&self) -> String {
        self.0
            .iter()
            .fold(Digest::new("muletrain tree 1"), |digest, (path, node)| {
                digest.field(path.as_os_str().as_bytes()).list(node.fields())
            })
            .finish()
    }

    /// Paths of the regular files whose names are UTF-8.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(path, node)| match node {
            Node::File { .. } => path.to_str(),
            Node::Link { .. } => None,
        })
    }

    /// Whether a regular file of that path is in the tree.
    #[must_use]
    pub fn has_file(&self, path: &str) -> bool {
        matches!(self.0.get(Path::new(path)), Some(Node::File { .. }))
    }

    /// The part of the tree whose paths are wanted.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&Path) -> bool) -> Self {
        let keep = self.0.iter().filter(|(path, _)| wanted(path));
        Self(keep.map(|(path, node)| (path.clone(), node.clone())).collect())
    }
}

impl Node {
    fn fields(&self) -> Vec<&[u8]> {
        match self {
            Self::File { executable, digest, .. } => {
                vec![if *executable { b"x" } else { b"f" }, digest.as_bytes()]
            }
            Self::Link { target } => vec![b"l", target.as_os_str().as_bytes()],
        }
    }
}

/// Whether a path names something inside a tree that a snapshot may hold: relative, without
/// `..`, and neither git's own data nor muletrain's.
#[must_use]
pub fn may_hold(path: &Path) -> bool {
    let inside = path.components().all(|part| match part {
        Component::Normal(name) => {
            !name.eq_ignore_ascii_case(".git") && !name.as_bytes().contains(&0)
        }
        _ => false,
    });
    inside && !path.as_os_str().is_empty() && !path.starts_with(".muletrain")
}

/// Whether a layer of an image would take a file or a folder above it for a mark that hides others.
#[must_use]
pub fn is_mark(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str().as_bytes().starts_with(b".wh."))
}

/// Whether a link at `path` stays inside the tree, whatever else is a link in there.
///
/// `..` is only taken at the start of a target: the folders a link lies in are real ones, so
/// going up from there cannot surprise, while `folder/..` can, where `folder` is a link itself.
#[must_use]
pub fn stays_inside(path: &Path, target: &Path) -> bool {
    let depth = path.components().count().saturating_sub(1);
    let mut up = 0;
    let mut down = false;
    for part in target.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if !down => up += 1,
            Component::Normal(_) => down = true,
            _ => return false,
        }
    }
    up <= depth && !target.as_os_str().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(digest: &str, executable: bool) -> Node {
        Node::File { executable, size: 0, digest: digest.to_owned() }
    }

    fn tree(nodes: &[(&str, Node)]) -> Manifest {
        Manifest(nodes.iter().map(|(path, node)| (PathBuf::from(path), node.clone())).collect())
    }

    #[test]
    fn the_digest_sees_names_modes_contents_and_links() {
        let trees = [
            tree(&[]),
            tree(&[("a", file("1", false))]),
            tree(&[("b", file("1", false))]),
            tree(&[("a", file("2", false))]),
            tree(&[("a", file("1", true))]),
            tree(&[("a", Node::Link { target: "1".into() })]),
            tree(&[("a", file("1", false)), ("b", file("1", false))]),
        ];
        let digests: std::collections::BTreeSet<_> = trees.iter().map(Manifest::digest).collect();
        assert_eq!(digests.len(), trees.len());
    }

    #[test]
    fn no_name_leads_out_of_the_tree_or_into_git() {
        for path in ["a", "a b/ö.py", ".github/x", "a/.muletrain/b", "..."] {
            assert!(may_hold(Path::new(path)), "{path:?}");
        }
        for path in ["", "/etc", "../a", "a/../b", ".git/config", "lib/.GIT", ".muletrain/runs/1"] {
            assert!(!may_hold(Path::new(path)), "{path:?}");
        }
    }

    #[test]
    fn marks_of_layers_are_known_at_any_level() {
        assert!([".wh.a", "a/.wh..wh..opq", ".wh.a/b"].iter().all(|it| is_mark(Path::new(it))));
        assert!(![".wha", "a.wh.b", ".whitelist"].iter().any(|it| is_mark(Path::new(it))));
    }

    #[test]
    fn no_link_leads_out_of_the_tree() {
        let inside = |path, target| stays_inside(Path::new(path), Path::new(target));
        assert!(inside("a/b/link", "../../c"));
        assert!(inside("link", "./a/b"));
        for (path, target) in [
            ("link", "../c"),
            ("a/link", "../../c"),
            ("link", "/etc"),
            ("link", "a/../b"),
            ("l", ""),
        ] {
            assert!(!inside(path, target), "{path} → {target}");
        }
    }
}
