//! Databases on PostgreSQL that are set up once: as images of their server, used by every pod
//! whose project would set up the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use muletrain_proto::event::{Event, Warming};
use muletrain_tests::engine::docker;
use muletrain_tests::fleet::Fleet;
use muletrain_tests::flow::Flow;
use muletrain_tests::private_engine::PrivateEngine;
use muletrain_tests::project::{git, write};
use muletrain_tests::wait::become_true;

use crate::services::{assert_all_passed, prepare_images};
use crate::travel;

/// The sample library with one service, so that little has to be sent to another engine.
const DATABASE_ALONE: &str = "\
[image]
base = 'muletrain-test-base:bookworm'
install = ['pip install -r requirements.txt']

[services.db]
preset = 'postgres:15'
image = 'muletrain-test-postgres:bookworm'

[env]
set = { REDIS_URL = 'redis://nobody-connects:6379' }
";

/// How long an agent may take to remove the containers of a pod that is over.
const REMOVAL_LIMIT: Duration = Duration::from_secs(30);

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
        entries(&self.flow.path("cache"))
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        remove_images(&self.flow.path("cache"));
    }
}

/// Folders of databases that are kept in a cache.
fn entries(cache: &Path) -> Vec<PathBuf> {
    let folders = |path: PathBuf| {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir())
    };
    folders(cache.join("warm/1")).flat_map(folders).collect()
}

/// Images of an entry's services.
fn images(entry: &Path) -> Vec<String> {
    let name = entry.file_name().unwrap_or_default().to_string_lossy();
    let label = format!("label=muletrain.warm.entry={name}");
    let listed = docker(&["images", "--filter", &label, "--format", "{{.Repository}}:{{.Tag}}"]);
    listed.lines().map(str::to_owned).collect()
}

/// Removes the images of databases that are kept in a cache, once the pods are gone that were
/// started from them: an agent removes those after it has told of their end.
fn remove_images(cache: &Path) {
    let images: Vec<String> = entries(cache).iter().flat_map(|entry| images(entry)).collect();
    for image in images {
        let is_used =
            || docker(&["ps", "--all", "--quiet", "--filter", &format!("ancestor={image}")]);
        become_true(REMOVAL_LIMIT, || is_used().trim().is_empty().then_some(()));
        docker(&["rmi", &image]);
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
    assert_eq!(images(entry).len(), 1, "of the database, and not of the cache");
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
    docker(&["rmi", &images(first).concat()]);
    assert_eq!(library.run(&["loans"]), Databases::Made, "the image is gone");
    let [second] = &library.entries()[..] else { panic!("{:?}", library.entries()) };
    assert_ne!(first, second, "what cannot be used is removed");
    fs::remove_dir_all(second).expect("it is a folder");
    assert_eq!(library.run(&["loans"]), Databases::Made, "the entry is gone");
    assert_eq!(images(second), [""; 0], "nobody can use it any more");
}

/// The tests of `catalog` find what its migration wrote, which ran on one of the engines.
#[test]
fn are_made_on_one_engine_and_begun_with_on_another() {
    prepare_images();
    let (flow, engine) = (Flow::sample("library"), PrivateEngine::start());
    write(&flow.project, "muletrain.toml", DATABASE_ALONE);
    fs::remove_dir_all(flow.project.join("visits/tests")).expect("the sample has them");
    let migration = flow.project.join("catalog/migrations/0002_shelves.py");
    let text = fs::read_to_string(&migration).expect("the sample has it");
    // Long enough to be worth keeping, however fast this host is.
    let slow = text.replace("    shelf =", "    __import__('time').sleep(2.5)\n    shelf =");
    fs::write(migration, slow).expect("files can be written");
    let fleet = Fleet::of_single_pods(flow, &[None, Some(&engine)]);
    let kept = Kept(fleet.caches());
    assert_eq!(travel::run(&fleet), travel::Databases { made: 1, agents: 2 });

    let shelves = "SHELVES = ['Fiction', 'Science', 'Travel', 'Poetry']\n";
    write(&fleet.flow.project, "catalog/shelves.py", shelves);
    assert_eq!(travel::run(&fleet).made, 1, "what is offered does not fit any more");
    drop(kept);
    fleet.stop();
}

/// Caches of agents; the images of what is kept there go when this is dropped.
struct Kept(Vec<PathBuf>);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.iter().for_each(|cache| remove_images(cache));
    }
}
