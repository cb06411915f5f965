//! Trees that are kept, found again, changed by somebody, and forgotten.

use super::*;
use crate::source;

struct Folders {
    project: TempDir,
    cache: TempDir,
}

impl Folders {
    fn new(text: &str) -> Self {
        let folders = Self { project: TempDir::new().unwrap(), cache: TempDir::new().unwrap() };
        fs::write(folders.project.path().join("a.py"), text).unwrap();
        folders
    }

    fn keep(&self) -> PathBuf {
        let cache = Cache::open(self.cache.path()).unwrap();
        let staging = cache.staging().unwrap();
        let source = source::list(self.project.path()).unwrap().read(None).unwrap();
        cache.keep(&source, staging.path()).unwrap()
    }

    fn age(&self, path: &Path, age: Duration) {
        File::open(path).unwrap().set_modified(SystemTime::now() - age).unwrap();
    }
}

#[test]
fn the_same_tree_is_kept_once() {
    let folders = Folders::new("x = 1");
    let first = folders.keep();
    fs::create_dir(first.join("__pycache__")).unwrap();
    assert_eq!(folders.keep(), first);
    fs::write(folders.project.path().join("a.py"), "x = 2").unwrap();
    assert_ne!(folders.keep(), first);
}

#[test]
fn a_tree_that_somebody_changed_is_not_taken_again() {
    let folders = Folders::new("x = 1");
    let first = folders.keep();
    fs::write(first.join("left_behind.sqlite3"), "").unwrap();
    let second = folders.keep();
    assert_ne!(second, first);
    fs::write(second.join("a.py"), "x = 9").unwrap();
    let third = folders.keep();
    assert!(third != first && third != second);
    assert_eq!(fs::read_to_string(third.join("a.py")).unwrap(), "x = 1");
}

#[test]
fn a_tree_goes_when_nobody_has_used_it_for_a_week() {
    let folders = Folders::new("x = 1");
    let old = folders.keep();
    fs::write(folders.project.path().join("a.py"), "x = 2").unwrap();
    let recent = folders.keep();
    folders.age(&old, KEEP + Duration::from_secs(60));
    folders.age(&recent, KEEP - Duration::from_secs(60));

    Cache::open(folders.cache.path()).unwrap();

    assert!(!old.exists());
    assert!(recent.exists());
}
