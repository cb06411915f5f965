//! What a layer on an anchor must hold to make another tree of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::holding::Holding;
use super::tree::{Manifest, Node};

/// Bytes that a layer may have before all of the tree is better sent once more.
pub const LIMIT: u64 = 16 << 20;

/// What the archive adds for each file.
const ENTRY: u64 = 1024;

/// What differs from an anchor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delta {
    /// Files and links that are new or other than before.
    pub files: Manifest,
    /// Files that are gone, and folders of which nothing is left.
    pub gone: BTreeSet<PathBuf>,
}

impl Delta {
    /// What makes `tree` of what an anchor holds.
    #[must_use]
    pub fn between(anchor: &Holding, tree: &Manifest) -> Self {
        let before = &anchor.manifest.0;
        let differs = |(path, node): &(&PathBuf, &Node)| before.get(*path) != Some(*node);
        let files = tree.0.iter().filter(differs);
        let files = Manifest(files.map(|(path, node)| (path.clone(), node.clone())).collect());
        let kept: BTreeSet<&Path> = tree
            .0
            .keys()
            .chain(&anchor.strangers)
            .flat_map(|path| path.ancestors().skip(1))
            .collect();
        let lost = before.keys().filter(|path| !tree.0.contains_key(*path));
        let gone = lost.filter_map(|path| topmost_gone(path, tree, &kept)).collect();
        Self { files, gone }
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.0.is_empty() && self.gone.is_empty()
    }

    /// About how many bytes its layer has.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let size = |node: &Node| match node {
            Node::File { size, .. } => *size,
            Node::Link { .. } => 0,
        };
        let files: u64 = self.files.0.values().map(|node| size(node) + ENTRY).sum();
        files + self.gone.len() as u64 * ENTRY
    }
}

/// What is to be hidden so that a lost file is: the file, or the outermost folder above it that
/// is not kept. Nothing where a file of the tree hides it, or a folder took its name.
fn topmost_gone(path: &Path, tree: &Manifest, kept: &BTreeSet<&Path>) -> Option<PathBuf> {
    let mut outermost_first: Vec<&Path> = path.ancestors().collect();
    outermost_first.reverse();
    let first =
        outermost_first.into_iter().find(|part| !kept.contains(part) && *part != Path::new(""));
    first.filter(|part| !tree.0.contains_key(*part)).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> Manifest {
        let node = |digest: &str| Node::File { executable: false, size: 1, digest: digest.into() };
        Manifest(files.iter().map(|(path, digest)| (PathBuf::from(path), node(digest))).collect())
    }

    fn gone(before: &[&str], strangers: &[&str], after: &[&str]) -> Vec<String> {
        let all = |paths: &[&str]| tree(&paths.iter().map(|path| (*path, "")).collect::<Vec<_>>());
        let strangers = strangers.iter().map(PathBuf::from).collect();
        let anchor = Holding { manifest: all(before), strangers, ..Holding::default() };
        let delta = Delta::between(&anchor, &all(after));
        delta.gone.iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn only_what_differs_is_sent() {
        let anchor = Holding {
            manifest: tree(&[("a", "1"), ("b", "1"), ("c/d", "1")]),
            ..Holding::default()
        };
        let delta = Delta::between(&anchor, &tree(&[("a", "1"), ("b", "2"), ("e", "1")]));
        assert_eq!(delta.files, tree(&[("b", "2"), ("e", "1")]));
        assert_eq!(delta.gone, [PathBuf::from("c")].into());
        assert!(Delta::between(&anchor, &anchor.manifest).is_empty());
    }

    #[test]
    fn a_folder_goes_as_a_whole_when_nothing_of_it_is_left() {
        assert_eq!(gone(&["a/b/c", "a/b/d", "x"], &[], &["x"]), ["a"]);
        assert_eq!(gone(&["a/b/c", "a/b/d", "a/x"], &[], &["a/x"]), ["a/b"]);
        assert_eq!(gone(&["a/b/c", "a/b/d"], &[], &["a/b/d"]), ["a/b/c"]);
        assert_eq!(gone(&["a/b/c", "a/b/d"], &["a/b/e"], &[]), ["a/b/c", "a/b/d"]);
    }

    #[test]
    fn what_is_hidden_anyway_needs_nothing() {
        assert_eq!(gone(&["a/b/c"], &[], &["a"]), Vec::<String>::new());
        assert_eq!(gone(&["a"], &[], &["a/b/c"]), Vec::<String>::new());
    }

    /// What is seen of a lower layer under another one, as an overlay shows it.
    fn overlay(lower: &BTreeMap<PathBuf, Node>, delta: &Delta) -> BTreeMap<PathBuf, Node> {
        let upper = &delta.files.0;
        let hidden = |path: &Path| {
            path.ancestors().any(|it| delta.gone.contains(it) || upper.contains_key(it))
                || upper.keys().chain(&delta.gone).any(|it| it != path && it.starts_with(path))
        };
        let below = lower.iter().filter(|(path, _)| !hidden(path));
        below.chain(upper).map(|(path, node)| (path.clone(), node.clone())).collect()
    }

    /// Trees of a few paths, in which no file lies in another.
    fn trees() -> impl Strategy<Value = Manifest> {
        let path = prop::collection::vec("[ab]", 1..4).prop_map(|parts| parts.join("/"));
        prop::collection::btree_map(path, "[12]", 0..6).prop_map(|files| {
            let mut tree = Manifest::default();
            for (path, digest) in files {
                let path = PathBuf::from(path);
                if !path.ancestors().any(|above| tree.0.contains_key(above)) {
                    tree.0.insert(path, Node::File { executable: false, size: 1, digest });
                }
            }
            tree
        })
    }

    proptest! {
        #[test]
        fn an_anchor_and_its_delta_are_the_tree_and_what_the_base_has(
            base in trees(), before in trees(), after in trees(),
        ) {
            let hides = |tree: &Manifest, path: &Path| {
                path.ancestors().any(|it| tree.0.contains_key(it))
                    || tree.0.keys().any(|it| it.starts_with(path))
            };
            let strangers = base.0.iter().filter(|(path, _)| !hides(&before, path));
            let strangers: BTreeMap<_, _> =
                strangers.map(|(path, node)| (path.clone(), node.clone())).collect();
            let anchor = Holding {
                manifest: before.clone(),
                strangers: strangers.keys().cloned().collect(),
                ..Holding::default()
            };
            let lower = before.0.into_iter().chain(strangers.clone()).collect();
            let seen = overlay(&lower, &Delta::between(&anchor, &after));
            let left = strangers.into_iter().filter(|(path, _)| !hides(&after, path));
            let expected: BTreeMap<_, _> = left.chain(after.0.clone()).collect();
            prop_assert_eq!(seen, expected);
        }
    }
}
