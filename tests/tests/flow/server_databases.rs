//! Databases on PostgreSQL that are set up once: as images of their server, used by every pod
//! whose project would set up the same.

use std::fs;
use std::path::{Path, PathBuf};

use muletrain_proto::event::{Event, Warming};
use muletrain_tests::engine::docker;
use muletrain_tests::flow::Flow;
use muletrain_tests::project::{git, write};

use crate::services::{assert_all_passed, prepare_images};

/// The sample library, with a cache of its own.
struct Library {
    flow: Flow,
}

/// What became of the databases of a run.
#[derive(Debug, PartialEq, Eq)]
enum Databases {
    Made,
    Found,
    Fresh,
}

impl Library {
    fn new() -> Self {
        prepare_images();
        Self { flow: Flow::sample("library") }
    }

    /// Runs tests, which have to be green; what became of the databases.
    #[track_caller]
    fn run(&self, arguments: &[&str]) -> Databases {
        let mut command = self.flow.run_command("docker", arguments);
        let cache = self.flow.path("cache");
        self.flow.start(command.env("MULETRAIN_CACHE", cache)).end().expect(0);
        let journal = self.flow.journal().expect("a run leaves its journal");
        let is = |wanted: &dyn Fn(&Warming) -> bool| {
            journal.events().any(|(_, event)| matches!(event, Event::Warming(it) if wanted(it)))
        };
        let databases = match is(&|it| matches!(it, Warming::Made { .. })) {
            true => Databases::Made,
            false if is(&|it| matches!(it, Warming::Found)) => Databases::Found,
            false => Databases::Fresh,
        };
        for (_, event) in journal.events() {
            let Event::Ready(ready) = event else { continue };
            for database in &ready.databases {
                assert_eq!(database.vendor, "postgresql");
                assert_eq!(database.warm, databases != Databases::Fresh, "{database:?}");
            }
        }
        databases
    }

    /// Folders of kept databases.
    fn entries(&self) -> Vec<PathBuf> {
        let folders = |path: PathBuf| {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| entry.path()).filter(|path| path.is_dir())
        };
        let keys = folders(self.flow.path("cache").join("warm/1"));
        keys.flat_map(folders).collect()
    }

    /// Images of an entry's services.
    fn images(entry: &Path) -> Vec<String> {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        let label = format!("label=muletrain.warm.entry={name}");
        let listed =
            docker(&["images", "--filter", &label, "--format", "{{.Repository}}:{{.Tag}}"]);
        listed.lines().map(str::to_owned).collect()
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        let images =
            self.entries().iter().flat_map(|entry| Self::images(entry)).collect::<Vec<_>>();
        if !images.is_empty() {
            docker(
                &[&["rmi"], &images.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat(),
            );
        }
    }
}

#[test]
fn are_made_once_and_give_the_same_verdicts() {
    let library = Library::new();
    for (arguments, wanted) in
        [(&[][..], Databases::Made), (&[], Databases::Found), (&["--fresh-db"], Databases::Fresh)]
    {
        assert_eq!(library.run(arguments), wanted);
        assert_all_passed(&library.flow);
    }
    let [entry] = &library.entries()[..] else { panic!("{:?}", library.entries()) };
    assert_eq!(Library::images(entry).len(), 1, "of the database, and not of the cache");
}

/// The tests of `catalog` compare what a migration wrote with what it would write.
#[test]
fn are_made_again_once_what_a_migration_imports_is_another() {
    let library = Library::new();
    assert_eq!(library.run(&["catalog"]), Databases::Made);
    let shelves = "SHELVES = ['Fiction', 'Science', 'Travel', 'Poetry']\n";
    write(&library.flow.project, "catalog/shelves.py", shelves);
    assert_eq!(library.run(&["catalog"]), Databases::Made);
    git(&library.flow.project, &["checkout", "--quiet", "catalog/shelves.py"]);
    assert_eq!(library.run(&["catalog"]), Databases::Found);
}

#[test]
fn go_with_their_image_and_their_image_with_them() {
    let library = Library::new();
    assert_eq!(library.run(&["loans"]), Databases::Made);
    let [first] = &library.entries()[..] else { panic!("{:?}", library.entries()) };
    docker(&["rmi", &Library::images(first).concat()]);
    assert_eq!(library.run(&["loans"]), Databases::Made, "the image is gone");
    let [second] = &library.entries()[..] else { panic!("{:?}", library.entries()) };
    assert_ne!(first, second, "what cannot be used is removed");
    fs::remove_dir_all(second).expect("it is a folder");
    assert_eq!(library.run(&["loans"]), Databases::Made, "the entry is gone");
    assert_eq!(Library::images(second), [""; 0], "nobody can use it any more");
}
