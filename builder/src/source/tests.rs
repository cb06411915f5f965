//! Checkouts of every kind, and what of them is read.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::pure::tree::Node;

/// A project on disk and the folder it is read into.
struct Checkout {
    project: TempDir,
    copy: TempDir,
}

impl Checkout {
    fn new() -> Self {
        Self { project: TempDir::new().unwrap(), copy: TempDir::new().unwrap() }
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

    fn write(&self, path: impl AsRef<Path>, text: &str) {
        let path = self.project.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "x"]);
    }

    fn read(&self) -> Source {
        read(self.project.path(), self.copy.path()).unwrap()
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
    fs::remove_file(checkout.project.path().join("deleted.py")).unwrap();

    let source = checkout.read();

    let expected =
        [".env", ".gitignore", "changed.py", "forced.log", "kept.py", "new folder/new file.py"];
    assert_eq!(paths_of(&source), expected);
    assert_eq!(fs::read_to_string(checkout.copy.path().join("changed.py")).unwrap(), "changed");
    let revision = source.revision.unwrap();
    assert_eq!((revision.branch.as_deref(), revision.dirty), (Some("main"), true));
}

#[test]
fn secrets_that_git_does_not_track_stay_out() {
    let checkout = Checkout::repository();
    checkout.write("a.py", "");
    checkout.commit();
    for path in [".env", "shop/.env.local", "tls/server.key", ".muletrain/runs/1", "id_ed25519"] {
        checkout.write(path, "canary");
    }
    checkout.write("pem.txt", "-----BEGIN RSA PRIVATE KEY-----\ncanary\n");

    let source = checkout.read();

    assert_eq!(paths_of(&source), ["a.py"]);
    insta::assert_snapshot!(source.notes.join("\n"), @r"
    left out pem.txt: not tracked by git and a private key
    left out .env, id_ed25519, shop/.env.local, tls/server.key: not tracked by git and named like a file of secrets
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

    let project = checkout.project.path().join("backend");
    let source = read(&project, checkout.copy.path()).unwrap();

    assert_eq!(paths_of(&source), ["manage.py", "new.py"]);
}

#[test]
fn submodules_are_part_of_it() {
    let library = Checkout::repository();
    library.write("lib.py", "");
    library.commit();
    let checkout = Checkout::repository();
    checkout.write("manage.py", "");
    let url = library.project.path().to_str().unwrap();
    checkout.git(&["submodule", "--quiet", "add", url, "vendor/lib"]);
    checkout.commit();

    let source = checkout.read();

    assert_eq!(paths_of(&source), [".gitmodules", "manage.py", "vendor/lib/lib.py"]);
}

#[test]
fn links_modes_and_odd_names_are_kept_and_no_link_leads_out() {
    let checkout = Checkout::repository();
    let odd = OsStr::from_bytes(b"caf\xe9 \n.py");
    checkout.write(odd, "odd");
    checkout.write("run.sh", "#!/bin/sh\n");
    let run = checkout.project.path().join("run.sh");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o775)).unwrap();
    for (name, target) in [("inside", "run.sh"), ("outside", "../x"), ("absolute", "/etc/passwd")] {
        symlink(target, checkout.project.path().join(name)).unwrap();
    }
    checkout.commit();

    let source = checkout.read();

    let nodes = &source.manifest.0;
    assert!(matches!(nodes[Path::new("run.sh")], Node::File { executable: true, .. }));
    assert_eq!(nodes[Path::new("inside")], Node::Link { target: "run.sh".into() });
    assert!(nodes.contains_key(Path::new(odd)));
    assert_eq!(nodes.len(), 3);
    let note = "left out absolute, outside: a link that leads out of the project";
    assert_eq!(source.notes, [note]);
}

#[test]
fn a_folder_that_became_a_link_hides_what_was_in_it() {
    let elsewhere = TempDir::new().unwrap();
    fs::write(elsewhere.path().join("a.py"), "canary").unwrap();
    let checkout = Checkout::repository();
    checkout.write("shop/a.py", "");
    checkout.commit();
    fs::remove_dir_all(checkout.project.path().join("shop")).unwrap();
    symlink(elsewhere.path(), checkout.project.path().join("shop")).unwrap();

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
        let owner = archive::Owner { user: 1000, group: 1000 };
        archive::write(&source.manifest, &source.folder, Path::new("app"), owner, &mut bytes)
            .unwrap();
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
