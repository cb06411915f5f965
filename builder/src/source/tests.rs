//! Checkouts of every kind, and what of them is read.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::pure::tree::Node;

/// A project on disk and the folder where it is kept what was read of it.
pub(super) struct Checkout {
    project: TempDir,
    cache: TempDir,
}

impl Checkout {
    pub(super) fn new() -> Self {
        Self { project: TempDir::new().unwrap(), cache: TempDir::new().unwrap() }
    }

    pub(super) fn path(&self) -> &Path {
        self.project.path()
    }

    pub(super) fn remove(&self, path: &str) {
        fs::remove_file(self.path().join(path)).unwrap();
    }

    fn repository() -> Self {
        let checkout = Self::new();
        checkout.git(&["init", "-q", "-b", "main"]);
        checkout
    }

    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"];
        let status = Command::new("git")
            .current_dir(self.project.path())
            .args(identity)
            .args(["-c", "protocol.file.allow=always"])
            .args(arguments)
            .status()
            .unwrap();
        assert!(status.success(), "git {arguments:?}");
    }

    pub(super) fn write(&self, path: impl AsRef<Path>, text: &str) {
        let path = self.project.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "x"]);
    }

    pub(super) fn read(&self) -> Source {
        list(self.path()).unwrap().read(Some(self.cache.path())).unwrap()
    }

    /// The files of the commit, written to the folder `to`.
    fn read_committed(&self, to: &Path) -> Source {
        list_or_export(self.path(), true, to).unwrap().read(None).unwrap()
    }
}

fn paths_of(source: &Source) -> Vec<String> {
    source.manifest.0.keys().map(|path| path.to_string_lossy().into_owned()).collect()
}

#[test]
fn a_checkout_is_taken_as_it_stands() {
    let checkout = Checkout::repository();
    checkout.write(".gitignore", "*.log\n");
    for path in ["kept.py", "changed.py", "deleted.py", "forced.log", ".env"] {
        checkout.write(path, "committed");
    }
    checkout.git(&["add", "-f", "forced.log", ".env"]);
    checkout.commit();
    checkout.write("changed.py", "changed");
    checkout.write("new folder/new file.py", "new");
    checkout.write("ignored.log", "ignored");
    fs::remove_file(checkout.path().join("deleted.py")).unwrap();

    let source = checkout.read();

    let expected =
        [".env", ".gitignore", "changed.py", "forced.log", "kept.py", "new folder/new file.py"];
    assert_eq!(paths_of(&source), expected);
    assert_eq!(source.texts(["changed.py"]).unwrap()["changed.py"], "changed");
    let revision = source.revision.unwrap();
    assert_eq!((revision.branch.as_deref(), revision.dirty), (Some("main"), true));
}

#[test]
fn a_commit_is_taken_whatever_stands_in_the_working_tree() {
    let checkout = Checkout::repository();
    for path in ["kept.py", "changed.py", "deleted.py", "old name.py"] {
        checkout.write(path, path);
    }
    checkout.write("run.sh", "#!/bin/sh\n");
    let run = checkout.path().join("run.sh");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
    symlink("kept.py", checkout.path().join("inside")).unwrap();
    symlink("/etc/passwd", checkout.path().join("outside")).unwrap();
    checkout.commit();
    let committed = checkout.read();
    checkout.write("changed.py", "changed");
    checkout.write("new.py", "");
    checkout.remove("deleted.py");
    checkout.git(&["mv", "old name.py", "new name.py"]);
    fs::set_permissions(&run, fs::Permissions::from_mode(0o644)).unwrap();

    let export = TempDir::new().unwrap();
    let source = checkout.read_committed(export.path());

    assert_eq!(source.manifest, committed.manifest);
    assert_eq!(source.left_out, committed.left_out);
    assert_eq!(source.texts(["changed.py"]).unwrap()["changed.py"], "changed.py");
    assert!(!source.revision.unwrap().dirty);
    assert_eq!(
        paths_of(&checkout.read()),
        ["changed.py", "inside", "kept.py", "new name.py", "new.py", "run.sh"]
    );
}

#[test]
fn a_commit_is_needed_to_take_it() {
    let folder = TempDir::new().unwrap();
    for checkout in [Checkout::new(), Checkout::repository()] {
        checkout.write("a.py", "");
        let error = list_or_export(checkout.path(), true, folder.path()).unwrap_err();
        assert!(matches!(error, Error::NoCommit { .. }), "{error}");
    }
}

#[test]
fn every_change_is_seen_however_soon_it_comes() {
    let checkout = Checkout::new();
    let mut digests = std::collections::BTreeSet::new();
    for round in 0..50 {
        checkout.write("a.py", &format!("x = {}", 10 + round));
        digests.insert(checkout.read().manifest.digest());
    }
    assert_eq!(digests.len(), 50);
}

#[test]
fn secrets_that_git_does_not_track_stay_out() {
    let checkout = Checkout::repository();
    checkout.write("a.py", "");
    checkout.commit();
    for path in [
        ".env-prod",
        ".envs/.production/.django",
        "shop/.env.local",
        "tls/server.key",
        ".muletrain/runs/1",
        "id_ed25519",
    ] {
        checkout.write(path, "canary");
    }
    let chain = "-----BEGIN CERTIFICATE-----\n".repeat(20_000);
    checkout.write("chain.txt", &format!("{chain}-----BEGIN EC PRIVATE KEY-----\ncanary\n"));
    checkout.write("pem.txt", "-----BEGIN RSA PRIVATE KEY-----\ncanary\n");

    let source = checkout.read();

    assert_eq!(paths_of(&source), ["a.py"]);
    insta::assert_snapshot!(source.notes().join("\n"), @r"
    left out chain.txt, pem.txt: not tracked by git and a private key
    left out .env-prod, .envs/.production/.django, id_ed25519, shop/.env.local, tls/server.key: not tracked by git and named like a file of secrets
    ");
}

#[test]
fn outside_git_the_same_holds_for_every_file() {
    let checkout = Checkout::new();
    for path in ["manage.py", ".gitignore", "shop/a.py", ".env", "venv/pyvenv.cfg", "venv/x.py"] {
        checkout.write(path, "*.log");
    }
    checkout.write("shop/b.log", "");
    checkout.write("shop/__pycache__/a.pyc", "");

    let source = checkout.read();

    assert_eq!(paths_of(&source), [".gitignore", "manage.py", "shop/a.py"]);
    assert_eq!(source.revision, None);
}

#[test]
fn a_project_inside_a_repository_is_taken_alone() {
    let checkout = Checkout::repository();
    checkout.write("backend/manage.py", "");
    checkout.write("frontend/index.js", "");
    checkout.commit();
    checkout.write("backend/new.py", "");

    let project = checkout.path().join("backend");
    let source = list(&project).unwrap().read(None).unwrap();

    assert_eq!(paths_of(&source), ["manage.py", "new.py"]);
}

#[test]
fn a_repository_of_another_user_is_named_with_the_way_out() {
    let checkout = Checkout::repository();
    checkout.write("backend/manage.py", "");
    let distrust = git2::Error::new(git2::ErrorCode::Owner, git2::ErrorClass::Config, "not owned");

    let error = Error::of_git(&checkout.path().join("backend"), distrust).to_string();

    let top = checkout.path().canonicalize().unwrap();
    insta::assert_snapshot!(error.replace(top.to_str().unwrap(), "TOP"), @"cannot read the git repository of TOP: it belongs to another user; if you trust it, run git config --global --add safe.directory TOP");
}

#[test]
fn submodules_are_part_of_it() {
    let library = Checkout::repository();
    library.write("lib.py", "");
    library.commit();
    let checkout = Checkout::repository();
    checkout.write("manage.py", "");
    let url = library.path().to_str().unwrap();
    checkout.git(&["submodule", "--quiet", "add", url, "vendor/lib"]);
    checkout.commit();

    let source = checkout.read();

    assert_eq!(paths_of(&source), [".gitmodules", "manage.py", "vendor/lib/lib.py"]);
}

#[test]
fn a_submodule_that_differs_makes_its_repository_differ() {
    let library = Checkout::repository();
    library.write("lib.py", "");
    library.commit();
    let checkout = Checkout::repository();
    let url = library.path().to_str().unwrap();
    checkout.git(&["submodule", "--quiet", "add", url, "vendor/lib"]);
    checkout.commit();
    let is_dirty = || checkout.read().revision.unwrap().dirty;
    assert!(!is_dirty());

    checkout.write("vendor/lib/lib.py", "edited");
    assert!(is_dirty(), "edited");
    checkout.git(&["-C", "vendor/lib", "commit", "-qam", "further"]);
    assert!(is_dirty(), "moved");
    checkout.git(&["add", "vendor/lib"]);
    assert!(is_dirty(), "staged");
    checkout.git(&["commit", "-qm", "further"]);
    assert!(!is_dirty(), "committed");
}

#[test]
fn submodules_of_a_commit_are_those_it_names() {
    let library = Checkout::repository();
    library.write("lib.py", "old");
    library.commit();
    let checkout = Checkout::repository();
    checkout.write("manage.py", "");
    let url = library.path().to_str().unwrap();
    checkout.git(&["submodule", "--quiet", "add", url, "vendor/lib"]);
    checkout.git(&["submodule", "--quiet", "add", url, "vendor/gone"]);
    checkout.commit();
    checkout.write("vendor/lib/lib.py", "changed");
    checkout.git(&["-C", "vendor/lib", "commit", "-qam", "further"]);
    checkout.git(&["submodule", "--quiet", "deinit", "--force", "vendor/gone"]);

    let export = TempDir::new().unwrap();
    let source = checkout.read_committed(export.path());

    assert_eq!(paths_of(&source), [".gitmodules", "manage.py", "vendor/lib/lib.py"]);
    assert_eq!(source.texts(["vendor/lib/lib.py"]).unwrap()["vendor/lib/lib.py"], "old");
    let note = "left out vendor/gone: a submodule that is not checked out; run git submodule \
                update --init";
    assert_eq!(source.notes(), [note]);
    assert_eq!(checkout.read().notes(), [note]);
}

#[test]
fn a_tracked_key_is_told_of_and_stays() {
    let checkout = Checkout::repository();
    checkout.write("tests/server.pem", "-----BEGIN RSA PRIVATE KEY-----\n");
    checkout.commit();
    let source = checkout.read();
    assert_eq!(paths_of(&source), ["tests/server.pem"]);
    insta::assert_snapshot!(source.notes().join("\n"), @"tracked by git, so in the snapshot, and private keys by their look: tests/server.pem");
}

#[test]
fn a_repository_within_the_project_stays_out() {
    let checkout = Checkout::repository();
    checkout.write("a.py", "");
    checkout.commit();
    checkout.git(&["init", "-q", "tools/other"]);
    checkout.write("tools/other/b.py", "");
    let source = checkout.read();
    assert_eq!(paths_of(&source), ["a.py"]);
    insta::assert_snapshot!(source.notes().join("\n"), @"left out tools/other: a git repository of its own that is no submodule");
}

#[test]
fn links_modes_and_odd_names_are_kept_and_no_link_leads_out() {
    let checkout = Checkout::repository();
    let odd = OsStr::from_bytes(b"caf\xe9 \n.py");
    checkout.write(odd, "odd");
    checkout.write("run.sh", "#!/bin/sh\n");
    let run = checkout.path().join("run.sh");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o775)).unwrap();
    for (name, target) in [("inside", "run.sh"), ("outside", "../x"), ("absolute", "/etc/passwd")] {
        symlink(target, checkout.path().join(name)).unwrap();
    }
    checkout.commit();

    let source = checkout.read();

    let nodes = &source.manifest.0;
    assert!(matches!(nodes[Path::new("run.sh")], Node::File { executable: true, .. }));
    assert_eq!(nodes[Path::new("inside")], Node::Link { target: "run.sh".into() });
    assert!(nodes.contains_key(Path::new(odd)));
    assert_eq!(nodes.len(), 3);
    let note = "left out absolute, outside: a link that leads out of the project";
    assert_eq!(source.notes(), [note]);
}

#[test]
fn a_folder_that_became_a_link_hides_what_was_in_it() {
    let elsewhere = TempDir::new().unwrap();
    fs::write(elsewhere.path().join("a.py"), "canary").unwrap();
    let checkout = Checkout::repository();
    checkout.write("shop/a.py", "");
    checkout.commit();
    fs::remove_dir_all(checkout.path().join("shop")).unwrap();
    symlink(elsewhere.path(), checkout.path().join("shop")).unwrap();

    assert_eq!(paths_of(&checkout.read()), Vec::<String>::new());
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let archive = |names: &[&str]| {
        let checkout = Checkout::new();
        for name in names {
            checkout.write(name, &format!("text of {name}"));
        }
        let source = checkout.read();
        let mut bytes = Vec::new();
        let contents = archive::Contents {
            files: source.manifest.clone(),
            owner: archive::Owner { user: 1000, group: 1000 },
            ..archive::Contents::new(Path::new("app"))
        };
        contents.write(&source, &mut bytes, Path::new("")).unwrap();
        (source.manifest.digest(), bytes)
    };
    let long = format!("deep/{}/x.py", "n".repeat(200));
    let (digest, bytes) = archive(&["b/c.py", "a.py", &long]);
    assert_eq!(archive(&[&long, "a.py", "b/c.py"]), (digest.clone(), bytes.clone()));
    assert_ne!(archive(&["b/c.py", "a2.py", &long]).0, digest);

    let mut reader = tar::Archive::new(bytes.as_slice());
    let paths: Vec<String> = reader
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            assert_eq!(entry.header().uid().unwrap(), 1000);
            entry.path().unwrap().to_string_lossy().trim_end_matches('/').to_owned()
        })
        .collect();
    assert_eq!(paths[..5], ["app", "app/a.py", "app/b", "app/b/c.py", "app/deep"]);
}
