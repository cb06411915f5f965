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
    /// What makes `tree` of what an anchor holds. None where a layer cannot: it would hide what
    /// the base has as well, or not bring back what the anchor's own files hid.
    #[must_use]
    pub fn between(anchor: &Holding, tree: &Manifest) -> Option<Self> {
        let before = &anchor.manifest.0;
        let differs = |(path, node): &(&PathBuf, &Node)| before.get(*path) != Some(*node);
        let files = tree.0.iter().filter(differs);
        let files = Manifest(files.map(|(path, node)| (path.clone(), node.clone())).collect());
        let kept: BTreeSet<&Path> =
            tree.0.keys().flat_map(|path| path.ancestors().skip(1)).collect();
        let lost = || before.keys().filter(|path| !tree.0.contains_key(*path));
        let gone: BTreeSet<PathBuf> =
            lost().filter_map(|path| topmost_gone(path, tree, &kept)).collect();
        let hides = gone.iter().any(|path| anchor.base.is_at(path));
        let uncovers = lost().any(|path| kept.contains(&**path) && anchor.base.is_below(path));
        (!hides && !uncovers).then_some(Self { files, gone })
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

    use super::super::holding::Base;
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Manifest {
        let node = |digest: &str| Node::File { executable: false, size: 1, digest: digest.into() };
        Manifest(files.iter().map(|(path, digest)| (PathBuf::from(path), node(digest))).collect())
    }

    fn holding(base: &[&str], before: &[&str]) -> Holding {
        let base = Base { paths: base.iter().map(PathBuf::from).collect(), ..Base::default() };
        Holding { manifest: of(before), base, ..Holding::default() }
    }

    fn of(paths: &[&str]) -> Manifest {
        tree(&paths.iter().map(|path| (*path, "")).collect::<Vec<_>>())
    }

    fn gone(before: &[&str], after: &[&str]) -> Vec<String> {
        let delta = Delta::between(&holding(&[], before), &of(after)).unwrap();
        delta.gone.iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn only_what_differs_is_sent() {
        let anchor = Holding {
            manifest: tree(&[("a", "1"), ("b", "1"), ("c/d", "1")]),
            ..Holding::default()
        };
        let delta = Delta::between(&anchor, &tree(&[("a", "1"), ("b", "2"), ("e", "1")])).unwrap();
        assert_eq!(delta.files, tree(&[("b", "2"), ("e", "1")]));
        assert_eq!(delta.gone, [PathBuf::from("c")].into());
        assert!(Delta::between(&anchor, &anchor.manifest).unwrap().is_empty());
    }

    #[test]
    fn a_folder_goes_as_a_whole_when_nothing_of_it_is_left() {
        assert_eq!(gone(&["a/b/c", "a/b/d", "x"], &["x"]), ["a"]);
        assert_eq!(gone(&["a/b/c", "a/b/d", "a/x"], &["a/x"]), ["a/b"]);
        assert_eq!(gone(&["a/b/c", "a/b/d"], &["a/b/d"]), ["a/b/c"]);
    }

    #[test]
    fn what_is_hidden_anyway_needs_nothing() {
        assert_eq!(gone(&["a/b/c"], &["a"]), Vec::<String>::new());
        assert_eq!(gone(&["a"], &["a/b/c"]), Vec::<String>::new());
    }

    #[test]
    fn nothing_of_the_base_is_hidden() {
        let can = |base: &[&str], before: &[&str], after: &[&str]| {
            Delta::between(&holding(base, before), &of(after)).is_some()
        };
        assert!(!can(&["media"], &["media/a"], &[]), "an empty folder");
        assert!(!can(&["a", "a/b"], &["a/c"], &[]), "a folder with something in it");
        assert!(!can(&["a"], &["a"], &[]), "a file that the project covers");
        assert!(!can(&["a", "a/b"], &["a"], &["a/c"]), "a folder that the project covers");
        assert!(can(&["a", "a/b"], &["a/b", "a/c"], &["a/b"]));
        assert!(can(&["a", "a-b"], &["a/c", "a/d"], &["a/c"]));
    }

    /// What is at a path.
    #[derive(Debug, Clone, PartialEq, Eq)]
    enum Thing {
        File(Node),
        /// A folder, and whether it is the project's.
        Folder(bool),
    }

    type Files = BTreeMap<PathBuf, Thing>;

    /// What is seen of files under a layer that hides and brings some.
    fn under(mut seen: Files, delta: &Delta) -> Files {
        let named = delta.gone.iter().chain(delta.files.0.keys());
        let folders: BTreeSet<&Path> = named.flat_map(|it| it.ancestors().skip(1)).collect();
        for gone in &delta.gone {
            seen.retain(|path, _| !path.starts_with(gone));
        }
        for folder in folders {
            seen.insert(folder.to_owned(), Thing::Folder(true));
        }
        for (path, node) in &delta.files.0 {
            seen.retain(|it, _| !it.starts_with(path));
            seen.insert(path.clone(), Thing::File(node.clone()));
        }
        seen
    }

    fn all_of(tree: &Manifest) -> Delta {
        Delta { files: tree.clone(), gone: BTreeSet::new() }
    }

    /// What a base has: a tree in which a file of digest 3 stands for an empty folder.
    fn base_of(tree: &Manifest) -> Files {
        let mut seen = under(Files::new(), &all_of(tree));
        for thing in seen.values_mut() {
            *thing = match thing {
                Thing::File(Node::File { digest, .. }) if digest != "3" => continue,
                _ => Thing::Folder(false),
            };
        }
        seen
    }

    /// What is listed of a base, in whose folders called `c` nobody looks.
    fn listed(base: &Files) -> Base {
        let is_closed =
            |path: &Path| path.ends_with("c") && matches!(base.get(path), Some(Thing::Folder(_)));
        let paths = base.keys().filter(|it| !it.as_os_str().is_empty());
        let paths = paths.filter(|it| !it.ancestors().skip(1).any(is_closed));
        let (closed, paths) = paths.cloned().partition(|path| is_closed(path));
        Base { paths, closed }
    }

    /// Trees of a few paths, in which no file lies in another.
    fn trees() -> impl Strategy<Value = Manifest> {
        let path = prop::collection::vec("[abc]", 1..4).prop_map(|parts| parts.join("/"));
        prop::collection::btree_map(path, "[123]", 0..6).prop_map(|files| {
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
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn a_delta_on_its_anchor_is_the_tree_on_the_base_or_there_is_none(
            base in trees(), before in trees(), after in trees(),
        ) {
            let base = base_of(&base);
            let anchor =
                Holding { manifest: before.clone(), base: listed(&base), ..Holding::default() };
            if let Some(delta) = Delta::between(&anchor, &after) {
                // An archive names the root, whatever it holds.
                let root = |mut seen: Files| {
                    seen.insert(PathBuf::new(), Thing::Folder(true));
                    seen
                };
                let seen = under(under(base.clone(), &all_of(&before)), &delta);
                prop_assert_eq!(root(seen), root(under(base, &all_of(&after))));
            }
        }

        #[test]
        fn on_an_empty_base_there_is_always_one(before in trees(), after in trees()) {
            let anchor = Holding { manifest: before, ..Holding::default() };
            prop_assert!(Delta::between(&anchor, &after).is_some());
        }
    }
}
