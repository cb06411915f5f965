//! Snapshot images on a real engine. Without one, these fail.

#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod support;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use muletrain_proto::snapshot::{Content, Snapshot};
use support::engine::{BASE, Frozen, INSTALL, base, docker, image, shell};
use support::{Project, eventually};

#[test]
fn an_image_holds_the_tree_as_it_stands() {
    let frozen = Frozen::new(&[INSTALL], "");
    frozen.0.write("shop/old.py", "");
    frozen.0.write("bin/run me", "#!/bin/sh\n");
    frozen.0.git(&["add", "-A"]);

    let first = frozen.build();
    assert_eq!(frozen.build(), first);
    assert_eq!(shell(&first, "cat shop/models.py"), "");

    frozen.0.remove("shop/old.py");
    frozen.0.write("shop/models.py", "changed");
    let second = frozen.build();

    assert_ne!(image(&second), image(&first));
    assert_eq!(base(&second), base(&first), "the dependencies are not installed again");
    let files = shell(&second, "find . -type f -not -name '*.pyc' | sort");
    insta::assert_snapshot!(files, @r"
    ./bin/run me
    ./django/__init__.py
    ./manage.py
    ./muletrain.toml
    ./shop/__init__.py
    ./shop/models.py
    ./shop/tests.py
    ");
    assert_eq!(
        shell(&second, "cat shop/models.py; pwd; id -u; stat -c %u:%g . shop bin"),
        "changed/app\n1000\n1000:1000\n1000:1000\n1000:1000"
    );
    assert!(!frozen.has_containers());
}

#[test]
fn what_is_installed_changes_with_what_installing_reads() {
    let frozen = Frozen::new(&[INSTALL, "cp requirements.txt /installed"], "");
    frozen.0.write("requirements.txt", "one");
    let first = frozen.build();
    frozen.0.write("requirements.txt", "two");
    let second = frozen.build();
    assert_ne!(base(&second), base(&first));
    assert_eq!(shell(&second, "cat /installed"), "two");
}

/// Whether texts are in the archive of an image.
fn saved<const NUMBER: usize>(snapshot: &Snapshot, texts: [&str; NUMBER]) -> [bool; NUMBER] {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    docker(&["save", "--output", path, image(snapshot)]);
    texts.map(|text| {
        let found = Command::new("grep").args(["-q", "-a", "-F", text, path]).status().unwrap();
        assert!(matches!(found.code(), Some(0 | 1)), "{found}");
        found.success()
    })
}

#[test]
fn nothing_secret_gets_into_an_image() {
    let bundle = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(bundle.path(), "-----BEGIN CERTIFICATE-----\ncanary-bundle\n").unwrap();
    let seen = "test -n \"$HTTPS_PROXY\" && grep -q CERTIFICATE \"$PIP_CERT\"";
    let more = format!("ca_bundle = {:?}\n[env]\npass = [\"TOKEN\"]\n", bundle.path());
    let mut frozen = Frozen::new(&[INSTALL, seen], &more);
    for (name, value) in [("TOKEN", "canary-token"), ("HTTPS_PROXY", "http://canary-proxy")] {
        frozen.0.variables.push((name.to_owned(), value.to_owned()));
    }
    for path in
        [".env", "shop/.env.local", "server.key", "id_ed25519", ".muletrain/1", ".git/hooks/x"]
    {
        frozen.0.write(path, "canary-file");
    }
    frozen.0.write("shop/plain.txt", "known text");
    frozen.0.write("pem.txt", "-----BEGIN PRIVATE KEY-----\ncanary-key\n");

    let built = frozen.0.build(&["--runtime", "docker"]);
    let snapshot = built.snapshot();

    assert_eq!(snapshot.environment.pass, ["TOKEN"]);
    assert!(!built.stdout.contains("canary"), "{}", built.stdout);
    assert!(!built.stderr.contains("canary"), "{}", built.stderr);
    let told = docker(&["image", "inspect", image(&snapshot), &base(&snapshot)])
        + &docker(&["history", "--no-trunc", image(&snapshot)]);
    assert!(!told.contains("canary"), "{told}");
    assert_eq!(saved(&snapshot, ["canary-", "known text"]), [false, true]);
    assert_eq!(shell(&snapshot, "ls -A /dev/shm"), "");

    frozen.0.write("shop/models.py", "x = 2\n");
    let layer = frozen.build();
    assert_ne!(image(&layer), image(&snapshot));
    assert_eq!(saved(&layer, ["canary-", "x = 2", "known text"]), [false, true, true]);
}

#[test]
fn a_step_that_fails_shows_its_whole_log() {
    let frozen = Frozen::new(&["echo first; echo second >&2; exit 7"], "");
    let built = frozen.0.build(&["--runtime", "docker"]);
    assert!(built.stderr.contains("first\nsecond\n"), "{}", built.stderr);
    insta::assert_snapshot!(built.error(4), @"error: `echo first; echo second >&2; exit 7` failed with exit code 7 in muletrain-test-base:bookworm");
    assert!(!frozen.has_containers());
}

#[test]
fn what_is_missing_is_named_with_the_way_out() {
    let frozen = Frozen::new(&["true"], "");
    insta::assert_snapshot!(frozen.error(), @"error: no Python of muletrain-test-base:bookworm can import django (python: ModuleNotFoundError: No module named 'django'; python3: ModuleNotFoundError: No module named 'django'); install the project's dependencies with [image] install, or name the interpreter with [project] python");
    assert!(!frozen.has_containers());
    let user = Frozen::new(&[INSTALL], "user = \"nobody-here\"\n");
    insta::assert_snapshot!(user.error(), @r#"error: muletrain-test-base:bookworm has no user "nobody-here": unable to find user nobody-here: no matching entries in passwd file; name another with [image] user"#);
    let image = "registry.invalid/none:1";
    let frozen = Frozen(Project::new(&format!("[image]\nbase = {image:?}\n")));
    let error = frozen.error();
    assert!(
        error.contains("no image registry.invalid/none:1 is here and it cannot be pulled"),
        "{error}"
    );
    assert!(error.contains("build or load it, or name another in [image] base"), "{error}");
}

#[test]
fn the_image_is_prepared_as_its_own_user_where_it_says() {
    let steps = [INSTALL, "useradd --uid 4321 app"];
    let prepare = "prepare = [\"id -un > prepared && echo $GREETING >> prepared\"]\n";
    let more = format!(
        "root = \"/srv/shop\"\nuser = \"app\"\n{prepare}[env]\nset = {{ GREETING = \"hello\" }}\n"
    );
    let snapshot = Frozen::new(&steps, &more);
    let frozen = snapshot.build();
    assert_eq!(frozen.content.root(), "/srv/shop");
    assert_eq!(
        shell(&frozen, "cat /srv/shop/prepared; id -u; env | grep -c hello; :"),
        "app\nhello\n4321\n0"
    );
    assert!(matches!(&frozen.content, Content::Docker { user, .. } if user == "4321:4321"));
}

#[test]
fn a_dockerfile_is_built_from_what_dockerignore_leaves() {
    let frozen = Frozen(Project::new(
        "[image]\ndockerfile = \"docker/Dockerfile\"\ntarget = \"test\"\nbuild_args = { GREETING = \"hello\" }\n",
    ));
    let base = *BASE;
    frozen.0.write(
        "docker/Dockerfile",
        &format!(
            "FROM {base} AS test\nARG GREETING\nWORKDIR /code\nCOPY . /context\n\
             RUN {} && echo $GREETING > /greeting\nFROM {base}\nRUN false\n",
            INSTALL.replace("django", "/context/django")
        ),
    );
    frozen.0.write(".dockerignore", "shop\n*.toml\n");

    let snapshot = frozen.build();

    assert_eq!(snapshot.content.root(), "/code");
    let context = shell(&snapshot, "cd /context && find . -type f | sort; cat /greeting");
    insta::assert_snapshot!(context, @r"
    ./.dockerignore
    ./django/__init__.py
    ./docker/Dockerfile
    ./manage.py
    hello
    ");
    assert_eq!(shell(&snapshot, "ls shop"), "__init__.py\n__pycache__\nmodels.py\ntests.py");

    frozen
        .0
        .write("docker/Dockerfile", &format!("FROM {base} AS test\nRUN echo out loud && false\n"));
    let built = frozen.0.build(&["--runtime", "docker"]);
    assert!(built.stderr.contains("out loud"), "{}", built.stderr);
    let error = built.error(4);
    assert!(error.contains("cannot build docker/Dockerfile"), "{error}");
}

#[test]
fn an_interrupted_or_killed_builder_leaves_no_container() {
    for (signal, code) in [("INT", Some(130)), ("TERM", Some(130)), ("KILL", None)] {
        let frozen = Frozen::new(&["sleep 600"], "");
        let mut command = frozen.0.command(&["--runtime", "docker"]);
        let mut builder = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Nobody is left to remove a container that a killed builder had not started yet.
        eventually("a container is there", || match code {
            Some(_) => frozen.has_containers(),
            None => !docker(&["ps", "--quiet", "--filter", &frozen.label()]).is_empty(),
        });
        let kill = ["-s", signal, &builder.id().to_string()];
        assert!(Command::new("kill").args(kill).status().unwrap().success());
        assert_eq!(builder.wait().unwrap().code(), code, "{signal}");
        eventually("the container is gone", || !frozen.has_containers());
    }
}

#[test]
fn code_that_only_the_base_has_is_told_of() {
    let stray = "mkdir old && touch old/tests.py";
    let frozen = Frozen::new(&[INSTALL, stray], "");
    let first = frozen.build();
    insta::assert_snapshot!(first.notes.join("\n"), @"the base has Python files in /app that the project does not have, 1 in all, such as old/tests.py: they stay, and so do tests in them");
    assert_eq!(frozen.build().notes, first.notes);
}

#[test]
fn images_of_two_projects_are_two() {
    let (one, two) = (Frozen::new(&[INSTALL], ""), Frozen::new(&[INSTALL], ""));
    two.0.write("shop/models.py", "# another");
    let ids = BTreeSet::from([one.build().id.to_string(), two.build().id.to_string()]);
    assert_eq!(ids.len(), 2);
}

#[test]
fn a_snapshot_is_found_while_all_of_it_is_there() {
    let frozen = Frozen::new(&[INSTALL], "");
    let snapshot = frozen.build();
    let find = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muletrain-builder"));
        command.args(["find", "--cache"]).arg(frozen.0.cache());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        serde_json::to_writer(child.stdin.take().unwrap(), &snapshot).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(serde_json::from_str::<Snapshot>(&find()).unwrap(), snapshot);
    docker(&["rmi", "--force", image(&snapshot)]);
    assert_eq!(find(), "");
}
