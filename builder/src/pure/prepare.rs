//! Steps that prepare a project: what they read, and whether what they left before still holds.
//!
//! What steps leave is one layer on a tree. It is kept for as long as they, what they run on and the
//! files that they read are the same, and is laid on other trees as it is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use muletrain_proto::config::Step;

use super::patterns::{Error, Patterns};
use super::tree::Manifest;

/// The files that steps read, all of a tree where one of them may read any; and the patterns that
/// mean no file.
///
/// # Errors
/// When a pattern is none.
pub fn read_by<'a>(steps: &'a [Step], tree: &Manifest) -> Result<(Manifest, Vec<&'a str>), Error> {
    let (mut all, mut files, mut idle) = (false, Manifest::default(), Vec::new());
    for step in steps {
        all |= step.files.is_empty();
        let patterns = Patterns::read(&step.files.join("\n"))?;
        files.0.extend(tree.only(|path| patterns.matches(path)).0);
        for pattern in step.files.iter().filter(|pattern| !pattern.starts_with('!')) {
            let alone = Patterns::read(pattern)?;
            if !tree.0.keys().any(|path| alone.matches(path)) {
                idle.push(pattern.as_str());
            }
        }
    }
    Ok((if all { tree.clone() } else { files }, idle))
}

/// The files of a tree at `root` that are brought, hidden or covered, or whose folder is, without
/// being among those that were read: nobody knows what would have become of them.
pub fn beyond<'a>(
    touched: &'a BTreeSet<PathBuf>,
    root: &'a Path,
    tree: &'a Manifest,
    read: &'a Manifest,
) -> impl Iterator<Item = &'a PathBuf> {
    let is_touched = move |path: &&PathBuf| {
        let place = root.join(path);
        let below = touched.range(place.clone()..).next().is_some_and(|it| it.starts_with(&place));
        below || place.ancestors().any(|part| touched.contains(part))
    };
    tree.0.keys().filter(|path| !read.0.contains_key(*path)).filter(is_touched)
}

#[cfg(test)]
mod tests {
    use super::super::tree::Node;
    use super::*;

    fn tree(paths: &[&str]) -> Manifest {
        let file = || Node::File { executable: false, size: 0, digest: String::new() };
        Manifest(paths.iter().map(|path| (PathBuf::from(path), file())).collect())
    }

    fn step(files: &[&str]) -> Step {
        Step { run: String::new(), files: files.iter().map(|it| (*it).to_owned()).collect() }
    }

    #[test]
    fn steps_read_what_their_patterns_mean_and_any_file_where_one_has_none() {
        let tree = tree(&["a/static/x.css", "a/static/x.scss", "a/models.py", "static/y.css"]);
        let read = |steps: &[Step]| {
            let (read, idle) = read_by(steps, &tree).unwrap();
            let read: Vec<_> = read.0.keys().map(|path| path.display().to_string()).collect();
            (read.join(" "), idle.join(" "))
        };
        let both = [step(&["**/static", "!**/*.scss"]), step(&["a/*.py", "b/**"])];
        assert_eq!(read(&both), ("a/models.py a/static/x.css static/y.css".into(), "b/**".into()));
        assert_eq!(read(&[step(&["static"]), step(&[])]).0.split(' ').count(), 4);
        assert!(read_by(&[step(&["[a"])], &tree).is_err());
    }

    #[test]
    fn what_steps_did_to_files_that_they_do_not_read_is_known() {
        let tree = tree(&["a/b.py", "a/c.py", "d", "static/x"]);
        let beyond = |touched: &[&str], read: &[&str]| {
            let touched = touched.iter().map(PathBuf::from).collect();
            let read = tree.only(|path| read.contains(&path.to_str().unwrap()));
            let beyond = beyond(&touched, Path::new("srv/app"), &tree, &read);
            beyond.map(|path| path.display().to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(beyond(&["srv/app/new", "srv/app/static/y", "srv/d", "a"], &[]), "");
        assert_eq!(beyond(&["srv/app/a"], &[]), "a/b.py a/c.py", "a folder that is gone");
        assert_eq!(beyond(&["srv"], &["d"]), "a/b.py a/c.py static/x");
        assert_eq!(beyond(&["srv/app/d/e"], &[]), "d", "a folder instead of a file");
        assert_eq!(beyond(&["srv/app/a/b.py", "srv/app/d"], &["a/b.py"]), "d");
    }
}
