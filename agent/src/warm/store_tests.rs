//! What is kept, for how long, and what becomes of damage.

use muletrain_proto::id::SuiteName;

use super::*;
use crate::samples::{brief, image, kept, place};

fn key(python: &str) -> Key {
    let mut brief = brief(image());
    brief.snapshot.python = python.to_owned();
    Key::new(&brief, &SuiteName::default(), &place())
}

fn store() -> (TempDir, Store) {
    let cache = tempfile::tempdir().unwrap();
    let store = Store::new(cache.path());
    (cache, store)
}

fn times(whole: f64) -> Times {
    Times { saves: Seconds::ZERO, whole: Seconds::new(whole).unwrap() }
}

fn add(store: &Store, key: &Key, entry: &Entry) -> String {
    store.begin(key).unwrap().finish(entry, 0).unwrap()
}

/// Makes an entry look as if it was used this many hours ago.
fn age(store: &Store, key: &Key, name: &str, hours: u64) {
    let times =
        FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(hours * 3600));
    File::open(store.key_folder(key).join(name)).unwrap().set_times(times).unwrap();
}

fn names(store: &Store, key: &Key) -> Vec<String> {
    store.entries(key).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn what_is_kept_is_there_again_under_its_key() {
    let (_cache, store) = store();
    let (one, other) = (key("python3.12"), key("python3.13"));
    assert_eq!(store.entries(&one), []);
    let name = add(&store, &one, &kept(3.0));
    assert_eq!(store.entries(&one), [(name.clone(), kept(3.0))]);
    assert_eq!(store.take(&one, &name), Some(kept(3.0)));
    assert_eq!(store.take(&other, &name), None);
}

#[test]
fn nobody_else_may_look_into_it() {
    let (_cache, store) = store();
    let name = add(&store, &key("python3"), &kept(3.0));
    let folder = store.key_folder(&key("python3"));
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let (entry, file) = (folder.join(&name), folder.join(&name).join(ENTRY));
    assert_eq!([&store.folder, &folder, &entry].map(|path| mode(path)), [0o700; 3]);
    assert_eq!(mode(&file), 0o600);
}

#[test]
fn what_cannot_be_read_is_removed_and_nothing_else() {
    let (_cache, store) = store();
    let key = key("python3");
    let good = add(&store, &key, &kept(3.0));
    let folder = store.key_folder(&key);
    let of_another_version = serde_json::to_string(&Entry { version: 2, ..kept(3.0) }).unwrap();
    for (name, text) in [("empty", ""), ("cut", "{\"version\":1,"), ("later", &of_another_version)]
    {
        fs::create_dir(folder.join(name)).unwrap();
        fs::write(folder.join(name).join(ENTRY), text).unwrap();
    }
    fs::create_dir(folder.join("foreign")).unwrap();
    assert_eq!(names(&store, &key), [good]);
    assert_eq!(folders(&folder).count(), 1);
}

#[test]
fn the_last_used_comes_first_and_the_longest_unused_goes() {
    let (_cache, store) = store();
    let key = key("python3");
    let mut expected = Vec::new();
    for hours in (1..=ENTRIES_OF_KEY as u64).rev() {
        let name = add(&store, &key, &kept(3.0));
        age(&store, &key, &name, hours);
        expected.insert(0, name);
    }
    assert_eq!(names(&store, &key), expected);

    let rescued = expected.pop().unwrap();
    store.take(&key, &rescued).unwrap();
    expected.insert(0, rescued);
    assert_eq!(names(&store, &key), expected, "what is used becomes the first");

    let newest = add(&store, &key, &kept(3.0));
    expected.pop();
    let found = names(&store, &key);
    assert_eq!(found.len(), ENTRIES_OF_KEY);
    assert!(found.contains(&newest) && expected.iter().all(|name| found.contains(name)));
}

#[test]
fn keys_are_bounded_too() {
    let (_cache, store) = store();
    for number in 0..=KEYS {
        store.note_times(&key(&format!("python{number}")), times(0.0)).unwrap();
    }
    add(&store, &key("python3"), &kept(3.0));
    assert_eq!(folders(&store.folder).count(), KEYS);
    assert_eq!(names(&store, &key("python3")).len(), 1);
}

#[test]
fn all_entries_together_are_bounded() {
    let (_cache, store) = store();
    let (one, other) = (key("python3.12"), key("python3.13"));
    // Files with holes in them, which take no space on the disk.
    let large = |key: &Key, hours| {
        let name = add(&store, key, &kept(3.0));
        let file = store.key_folder(key).join(&name).join(ENTRY);
        OpenOptions::new().write(true).open(file).unwrap().set_len(SPACE * 2 / 5).unwrap();
        age(&store, key, &name, hours);
        name
    };
    let names = [large(&one, 3), large(&other, 2), large(&one, 1)];
    store.make_room();
    let is_there = |key: &Key, name: &String| store.key_folder(key).join(name).exists();
    assert!(!is_there(&one, &names[0]));
    assert!(is_there(&other, &names[1]) && is_there(&one, &names[2]));
}

#[test]
fn images_of_all_entries_together_are_bounded() {
    let (_cache, store) = store();
    let key = key("python3");
    let images = [IMAGE_SPACE * 2 / 5; 3];
    let names = images.map(|bytes| store.begin(&key).unwrap().finish(&kept(3.0), bytes).unwrap());
    assert_eq!(store.names().len(), 2, "each makes room");
    let last = store.begin(&key).unwrap().finish(&kept(3.0), IMAGE_SPACE).unwrap();
    assert_eq!(store.names(), [last].into());
    assert!(names.iter().all(|name| store.take(&key, name).is_none()));
}

#[test]
fn writers_do_not_see_half_of_what_another_writes() {
    let (_cache, store) = store();
    let key = key("python3");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    add(&store, &key, &kept(3.0));
                    for (name, _) in store.entries(&key) {
                        assert!(store.take(&key, &name).is_none_or(|entry| entry == kept(3.0)));
                    }
                }
            });
        }
    });
    assert!((1..=ENTRIES_OF_KEY).contains(&names(&store, &key).len()));
}

#[test]
fn what_a_killed_writer_left_goes_once_it_cannot_be_at_work() {
    let (_cache, store) = store();
    let key = key("python3");
    add(&store, &key, &kept(3.0));
    let folder = store.key_folder(&key);
    for (name, hours) in [(".new-old", 2), (".new-young", 0)] {
        fs::create_dir(folder.join(name)).unwrap();
        age(&store, &key, name, hours);
    }
    add(&store, &key, &kept(3.0));
    assert!(!folder.join(".new-old").exists());
    assert!(folder.join(".new-young").exists());
    assert_eq!(names(&store, &key).len(), 2);
}

#[test]
fn the_time_that_databases_take_is_remembered() {
    let (_cache, store) = store();
    let key = key("python3");
    assert_eq!(store.times(&key), None);
    store.note_times(&key, times(10.0)).unwrap();
    assert_eq!(store.times(&key), Some(times(10.0)));
    assert_eq!(store.entries(&key), []);
    store.outgrow(&key, Seconds::new(15.0).unwrap());
    assert_eq!(store.times(&key), Some(times(10.0)));
    store.outgrow(&key, Seconds::new(25.0).unwrap());
    assert_eq!(store.times(&key), None);
    fs::write(store.key_folder(&key).join(TIMES), "soon").unwrap();
    assert_eq!(store.times(&key), None);
}

#[test]
fn a_store_has_one_id_of_its_own_from_its_first_entry_on() {
    let (_cache, store) = store();
    assert_eq!(store.id(), None);
    let ids = std::thread::scope(|scope| {
        let begin = || store.begin(&key("python3")).unwrap().store_id().to_owned();
        let begun: Vec<_> = (0..4).map(|_| scope.spawn(begin)).collect();
        begun.into_iter().map(|begun| begun.join().unwrap()).collect::<BTreeSet<_>>()
    });
    assert_eq!(ids, store.id().into_iter().collect());
    assert_eq!(ids.len(), 1);
    let (_cache, other) = self::store();
    other.begin(&key("python3")).unwrap();
    assert_ne!(other.id(), store.id());
}

#[test]
fn an_entry_is_there_once_it_is_finished_and_has_its_name_before() {
    let (_cache, store) = store();
    let key = key("python3");
    let unfinished = store.begin(&key).unwrap();
    let name = unfinished.name().to_owned();
    assert_eq!(store.entries(&key), []);
    assert_eq!(store.names(), [name.clone()].into());
    assert_eq!(unfinished.finish(&kept(3.0), 0).unwrap(), name);
    assert_eq!(store.names(), [name.clone()].into());
    drop(store.begin(&key).unwrap());
    assert_eq!(store.names().len(), 1);
    store.remove(&key, &name);
    assert_eq!(store.names(), [].into());
}
