//! Copies of trees that pods have left, for the pods to come.
//!
//! To make thousands of files takes seconds where as many were just removed; to look at them takes
//! milliseconds.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::restore::Folder;
use crate::state::remove_folder;
use crate::tree;

/// The copy of a tree in a pod.
#[derive(Debug)]
pub struct Copy {
    /// What it is a copy of.
    from: PathBuf,
    /// That, before it was copied.
    original: Folder,
    /// The copy, when it was made.
    made: Folder,
}

/// How long a copy is kept for a pod that does not come.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// Copies that no pod has, as many as there were pods at once.
#[derive(Debug)]
pub struct Spares {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spares: Vec<Spare>,
    /// How many pods have a copy, and most that ever had.
    lent: usize,
    most: usize,
    /// Copies put back so far: each has a name of its own.
    count: u64,
}

/// A copy that no pod has.
#[derive(Debug)]
struct Spare {
    place: PathBuf,
    copy: Copy,
    since: Instant,
}

impl Spares {
    /// Copies are kept in this folder, under names that begin with a dot.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, state: Mutex::default() }
    }

    /// A copy of the tree `from` at the place `to`, which must not exist yet.
    ///
    /// # Errors
    /// When anything cannot be read or written.
    pub fn lend(&self, from: &Path, to: &Path) -> io::Result<Copy> {
        let spare = {
            let mut state = self.lock();
            state.lent += 1;
            state.most = state.most.max(state.lent);
            let fits = state.spares.iter().rposition(|spare| spare.copy.from == from);
            fits.map(|index| state.spares.remove(index))
        };
        // One that cannot be put in order is made anew.
        let copy = match spare.and_then(|spare| again(spare, to).ok()) {
            Some(copy) => Ok(copy),
            None => anew(from, to),
        };
        if copy.is_err() {
            self.lock().lent -= 1;
        }
        copy
    }

    /// Takes a copy back from where a pod had it, whatever became of it there. Nothing may work
    /// with it any more, and nothing of what the pod left in it is kept.
    pub fn take_back(&self, mut copy: Copy, at: &Path) {
        let (place, surplus) = {
            let mut state = self.lock();
            state.lent -= 1;
            state.count += 1;
            let is_full = !state.spares.is_empty() && state.spares.len() >= state.most;
            let surplus = is_full.then(|| state.spares.remove(0));
            (self.folder.join(format!(".spare.{}", state.count)), surplus)
        };
        if let Some(spare) = surplus {
            remove_folder(&spare.place);
        }
        let kept = copy.made.restore(&copy.from, at).and_then(|()| fs::rename(at, &place));
        if kept.is_ok() {
            self.lock().spares.push(Spare { place, copy, since: Instant::now() });
        }
    }

    /// Removes copies that no pod came for.
    pub fn remove_idle(&self, now: Instant) {
        let is_idle = |spare: &mut Spare| now.saturating_duration_since(spare.since) > IDLE_LIMIT;
        let idle: Vec<Spare> = self.lock().spares.extract_if(.., is_idle).collect();
        idle.iter().for_each(|spare| remove_folder(&spare.place));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn anew(from: &Path, to: &Path) -> io::Result<Copy> {
    remove_folder(to);
    let original = Folder::read(from)?;
    tree::copy(from, to)?;
    Ok(Copy { from: from.to_owned(), original, made: Folder::read(to)? })
}

/// Puts a copy in order at another place.
fn again(Spare { place, mut copy, .. }: Spare, to: &Path) -> io::Result<Copy> {
    let moved = match Folder::read(&copy.from)? == copy.original {
        true => fs::rename(&place, to),
        false => Err(io::Error::other("it is a copy of what is no more")),
    };
    if let Err(error) = moved {
        remove_folder(&place);
        return Err(error);
    }
    copy.made.restore(&copy.from, to)?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn number(path: &Path) -> u64 {
        path.metadata().unwrap().ino()
    }

    #[test]
    fn what_a_pod_has_left_is_as_new_for_the_next_one_of_the_same_tree() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        for tree in [&one, &other] {
            fs::create_dir(tree).unwrap();
            fs::write(tree.join("manage.py"), "as it was").unwrap();
        }
        let spares = Spares::new(folder.path().to_owned());
        let at = |pod: &str| folder.path().join(pod);
        let first = spares.lend(&one, &at("1")).unwrap();
        let file = number(&at("1/manage.py"));
        fs::write(at("1/left.txt"), "").unwrap();
        spares.take_back(first, &at("1"));
        assert!(!at("1").exists() && !at(".spare.1/left.txt").exists());

        spares.lend(&other, &at("2")).unwrap();
        assert_ne!(number(&at("2/manage.py")), file, "it is of another tree");
        spares.lend(&one, &at("3")).unwrap();
        assert_eq!(number(&at("3/manage.py")), file);
        assert!(!at("3/left.txt").exists());
    }

    #[test]
    fn no_more_copies_are_kept_than_pods_had_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        fs::create_dir(&from).unwrap();
        let spares = Spares::new(folder.path().to_owned());
        let at = |pod: usize| folder.path().join(pod.to_string());
        let lent: Vec<Copy> = (0..2).map(|pod| spares.lend(&from, &at(pod)).unwrap()).collect();
        lent.into_iter().enumerate().for_each(|(pod, copy)| spares.take_back(copy, &at(pod)));
        fs::create_dir(folder.path().join("another")).unwrap();
        let copy = spares.lend(&folder.path().join("another"), &at(2)).unwrap();
        spares.take_back(copy, &at(2));
        let kept = fs::read_dir(folder.path()).unwrap().flatten();
        let kept = kept.filter(|entry| entry.file_name().to_string_lossy().starts_with(".spare"));
        assert_eq!(kept.count(), 2);
    }

    #[test]
    fn a_copy_that_no_pod_comes_for_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        fs::create_dir(&from).unwrap();
        let spares = Spares::new(folder.path().to_owned());
        let copy = spares.lend(&from, &folder.path().join("1")).unwrap();
        spares.take_back(copy, &folder.path().join("1"));
        spares.remove_idle(Instant::now());
        assert!(folder.path().join(".spare.1").exists());
        spares.remove_idle(Instant::now() + IDLE_LIMIT * 2);
        assert!(!folder.path().join(".spare.1").exists());
    }

    #[test]
    fn a_copy_of_a_tree_that_has_changed_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        fs::create_dir(&from).unwrap();
        fs::write(from.join("models.py"), "before").unwrap();
        let spares = Spares::new(folder.path().to_owned());
        let copy = spares.lend(&from, &folder.path().join("1")).unwrap();
        spares.take_back(copy, &folder.path().join("1"));
        fs::remove_file(from.join("models.py")).unwrap();
        fs::write(from.join("models.py"), "behind").unwrap();
        spares.lend(&from, &folder.path().join("2")).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("2/models.py")).unwrap(), "behind");
    }

    #[test]
    fn a_copy_that_is_gone_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from");
        fs::create_dir(&from).unwrap();
        fs::write(from.join("manage.py"), "").unwrap();
        let spares = Spares::new(folder.path().to_owned());
        let copy = spares.lend(&from, &folder.path().join("1")).unwrap();
        spares.take_back(copy, &folder.path().join("1"));
        fs::remove_dir_all(folder.path().join(".spare.1")).unwrap();
        spares.lend(&from, &folder.path().join("2")).unwrap();
        assert!(folder.path().join("2/manage.py").exists());
    }
}
