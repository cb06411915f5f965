//! Folders of runs as they come.

use muletrain_proto::run::Stop;

use super::*;
use crate::journal::Journal;

const DAY: u64 = 24 * 60 * 60;

/// A run that is over, written so many days ago.
fn store(folder: &Path, name: &str, days: u64, records: &[Record]) -> PathBuf {
    let mut journal = Journal::create(folder, &RunId::new(name).unwrap()).unwrap();
    journal.append(1, records.iter()).unwrap();
    age(journal.path(), days);
    journal.path().to_owned()
}

fn age(path: &Path, days: u64) {
    let then = SystemTime::now() - Duration::from_secs(days * DAY);
    File::options().append(true).open(path).unwrap().set_modified(then).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const RULES: Rules = Rules { age: Duration::from_secs(30 * DAY), bytes: 1 << 30, newest: 1 };
const OVER: [Record; 2] = [Record::Stopping { stop: Stop::Interrupted }, Record::Closed];

#[test]
fn old_runs_go_with_all_they_have_and_others_are_packed() {
    let folder = tempfile::tempdir().unwrap();
    for (name, days) in [("r1", 31), ("r2", 29), ("r3", 3), ("r4", 2), ("r5", 1)] {
        let journal = store(folder.path(), name, days, &OVER);
        fs::create_dir(journal.with_file_name("artifacts")).unwrap();
        fs::write(journal.with_file_name("artifacts").join("a.png"), "x").unwrap();
    }
    tidy(folder.path(), &RULES);
    assert_eq!(names(folder.path()), ["r2", "r3", "r4", "r5"]);
    assert_eq!(names(&folder.path().join("r2")), ["artifacts", "journal.jsonl.gz"]);
    assert_eq!(names(&folder.path().join("r3")), ["artifacts", "journal.jsonl"]);
    age(&folder.path().join("r2/journal.jsonl.gz"), 31);
    tidy(folder.path(), &RULES);
    assert_eq!(names(folder.path()), ["r3", "r4", "r5"]);
}

#[test]
fn a_run_that_is_being_written_is_not_touched_however_old_it_looks() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunId::new("r1").unwrap();
    let mut journal = Journal::create(folder.path(), &run).unwrap();
    journal.append(1, OVER.iter()).unwrap();
    age(journal.path(), 400);
    for name in ["r2", "r3", "r4", "r5"] {
        store(folder.path(), name, 1, &OVER);
    }
    tidy(folder.path(), &RULES);
    assert!(journal.path().is_file());
    drop(journal);
    tidy(folder.path(), &RULES);
    assert_eq!(names(folder.path()), ["r2", "r3", "r4", "r5"]);
}

#[test]
fn one_that_did_not_end_waits_for_a_day() {
    let folder = tempfile::tempdir().unwrap();
    let now = SystemTime::now();
    let state = |name: &str, days: u64, records: &[Record]| {
        let journal = store(folder.path(), name, days, records);
        look(journal.parent().unwrap(), RunId::new(name).unwrap(), now).map(|kept| kept.live)
    };
    assert_eq!(state("r1", 0, &OVER[..1]), Some(true));
    assert_eq!(state("r2", 2, &OVER[..1]), Some(false));
    assert_eq!(state("r3", 0, &OVER), Some(false));
}

#[test]
fn what_is_no_run_or_cannot_be_read_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let old = |name: &str, text: &str| {
        fs::create_dir_all(path(name)).unwrap();
        fs::write(path(name).join("journal.jsonl"), text).unwrap();
        age(&path(name).join("journal.jsonl"), 400);
    };
    fs::create_dir(path("notes")).unwrap();
    fs::write(path("file"), "mine").unwrap();
    old("another", "{\"muletrain_journal\":1,\"run\":\"r1\"}\n{}\n");
    old("text", "not a journal\n");
    old("later", "{\"muletrain_journal\":99,\"run\":\"later\"}\n");
    old("broken", "{\"muletrain_journal\":1,\"run\":\"broken\"}\n\0\0\0\n");
    let closed = "{\"number\":2,\"at\":1,\"record\":\"closed\"}\n";
    let head = "{\"muletrain_journal\":1,\"run\":\"holes\"}\n";
    old("holes", &format!("{head}\0\0\0\n{closed}"));
    let away = tempfile::tempdir().unwrap();
    store(away.path(), "linked", 400, &OVER);
    std::os::unix::fs::symlink(away.path().join("linked"), path("linked")).unwrap();
    store(folder.path(), "zz", 1, &OVER);
    let before = names(folder.path());
    tidy(folder.path(), &RULES);
    assert_eq!(names(folder.path()), before);
    assert!(away.path().join("linked/journal.jsonl").is_file());
}

#[test]
fn what_several_runs_have_counts_once_and_goes_with_the_last_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let content = folder.path().join(CONTENT);
    fs::create_dir(&content).unwrap();
    fs::write(content.join("shared"), "x".repeat(1000)).unwrap();
    for (name, days) in [("r1", 400), ("r2", 1)] {
        let journal = store(folder.path(), name, days, &OVER);
        fs::hard_link(content.join("shared"), journal.with_file_name("a.png")).unwrap();
    }
    let both = size(&folder.path().join("r1")) + size(&folder.path().join("r2"));
    assert!((1000..1500).contains(&both), "{both}");
    tidy(folder.path(), &RULES);
    assert_eq!(names(&content), ["shared"]);
    fs::remove_dir_all(folder.path().join("r2")).unwrap();
    tidy(folder.path(), &RULES);
    assert_eq!(names(&content), Vec::<String>::new());
}

#[test]
fn a_removal_that_was_broken_off_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join(".removed-r1/artifacts")).unwrap();
    fs::create_dir(folder.path().join(".removed- no run")).unwrap();
    tidy(folder.path(), &RULES);
    assert_eq!(names(folder.path()), [".removed- no run"]);
}
