//! The project's own steps on a real engine: when they run, and what stays of them.

#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod support;

use muletrain_proto::snapshot::Snapshot;
use support::engine::{Frozen, INSTALL, base, docker, image, shell};

/// Notes what it has read, and leaves a link, a folder with odd permissions and bytecode.
const COLLECT: &str = "mkdir -p static && cat shop/static/* > static/all && ln -sf all static/link \
     && mkdir -p -m 700 static/closed && python3 -c 'import shop.models'";

/// A project with such a step.
fn collecting(files: &str) -> Frozen {
    let frozen = Frozen::new(
        &[INSTALL],
        &format!("prepare = [{{ run = \"{COLLECT}\", files = {files} }}]\n"),
    );
    frozen.0.write("shop/static/a.css", "a {}\n");
    frozen.0.write("shop/models.py", "x = 1\n");
    frozen
}

/// The snapshot, and whether its step ran.
fn build(frozen: &Frozen) -> (Snapshot, bool) {
    let built = frozen.0.build(&["--runtime", "docker"]);
    let ran = built.stderr.contains("builder: mkdir -p static");
    (built.snapshot(), ran)
}

const STATIC: &str = "cd static && find . -printf '%y %m %U:%G %p [%l]\\n' | sort && cat all";

#[test]
fn what_a_step_leaves_is_kept_until_a_file_changes_that_it_reads() {
    let frozen = collecting("[\"**/static\"]");
    let (first, ran) = build(&frozen);
    assert!(ran);
    let left = shell(&first, STATIC);
    insta::assert_snapshot!(left, @r"
    d 700 1000:1000 ./closed []
    d 755 1000:1000 . []
    f 644 1000:1000 ./all []
    l 777 1000:1000 ./link [all]
    a {}
    ");

    // As long as before, and as old as everything in an image.
    frozen.0.write("shop/models.py", "x = 2\n");
    let (second, ran) = build(&frozen);
    assert!(!ran);
    assert_ne!(image(&second), image(&first));
    assert_eq!(base(&second), base(&first));
    assert_eq!(shell(&second, STATIC), left);
    assert_eq!(shell(&second, "python3 -c 'import shop.models as m; print(m.x)'"), "2");
    assert_eq!(shell(&second, "touch static/new && id -u"), "1000");

    frozen.0.write("shop/static/b.css", "b {}\n");
    let (third, ran) = build(&frozen);
    assert!(ran);
    assert_eq!(shell(&third, "cat static/all"), "a {}\nb {}");
    frozen.0.remove("shop/static/a.css");
    let (fourth, ran) = build(&frozen);
    assert!(ran);
    assert_eq!(shell(&fourth, "cat static/all"), "b {}");
    assert!(!frozen.has_containers());
}

#[test]
fn a_step_that_may_read_any_file_runs_at_every_change() {
    let frozen = Frozen::new(&[INSTALL], "prepare = [\"cat shop/*.py > seen\"]\n");
    assert_eq!(shell(&frozen.build(), "cat seen"), "");
    frozen.0.write("shop/models.py", "x = 2\n");
    assert_eq!(shell(&frozen.build(), "cat seen"), "x = 2");
}

#[test]
fn the_same_steps_on_the_same_tree_give_the_same_image() {
    let frozen = collecting("[\"**/static\"]");
    let (first, _) = build(&frozen);
    docker(&["rmi", "--force", image(&first)]);
    std::fs::remove_dir_all(frozen.0.cache().join("prepared")).unwrap();
    let (again, ran) = build(&frozen);
    assert!(ran);
    assert_eq!(image(&again), image(&first));
}

#[test]
fn what_a_step_removes_and_leaves_elsewhere_stays_so() {
    let step = "prepare = [\"rm -r shop/old manage.py && chmod 700 django && mkdir -p /tmp/left && \
                echo x > /tmp/left/x\"]\n";
    let frozen = Frozen::new(&[INSTALL], step);
    for path in ["shop/old/a", "shop/old/b/c"] {
        frozen.0.write(path, "");
    }
    let list = "find shop django manage.py -printf '%m %p\\n' 2>&- | grep -v pyc | sort; \
                cat /tmp/left/x";
    insta::assert_snapshot!(shell(&frozen.build(), list), @r"
    644 django/__init__.py
    644 shop/__init__.py
    644 shop/models.py
    644 shop/tests.py
    700 django
    755 shop
    x
    ");
}

#[test]
fn a_step_that_changes_what_it_does_not_name_runs_at_every_change() {
    let step =
        "prepare = [{ run = \"cat shop/static/a >> manage.py\", files = [\"**/static\"] }]\n";
    let frozen = Frozen::new(&[INSTALL], step);
    frozen.0.write("shop/static/a", "# a\n");
    let first = frozen.build();
    insta::assert_snapshot!(first.notes.join("\n"), @"[image] prepare changes what no files of its steps name, such as manage.py: its steps run at every change");
    frozen.0.write("manage.py", "# new\n");
    assert_eq!(shell(&frozen.build(), "cat manage.py"), "# new\n# a");
}

#[test]
fn a_file_of_the_project_that_comes_to_be_where_a_step_left_one_makes_it_run_again() {
    let frozen = collecting("[\"shop/static\"]");
    build(&frozen);
    frozen.0.write("static/all", "the project's");
    let (snapshot, ran) = build(&frozen);
    assert!(ran);
    assert_eq!(shell(&snapshot, "cat static/all"), "a {}");
}

#[test]
fn a_step_that_fails_shows_its_whole_log_and_leaves_nothing() {
    let fails = "prepare = [\"touch done\", \"echo first; echo second >&2; exit 7\"]\n";
    let frozen = Frozen::new(&[INSTALL], fails);
    let built = frozen.0.build(&["--runtime", "docker"]);
    assert!(built.stderr.contains("first\nsecond\n"), "{}", built.stderr);
    let error = built.error(4);
    assert!(
        error.contains("`echo first; echo second >&2; exit 7` failed with exit code 7 in "),
        "{error}"
    );
    assert!(!frozen.has_containers());
    assert_eq!(std::fs::read_dir(frozen.0.cache().join("prepared")).unwrap().count(), 0);
}

#[test]
fn a_step_sees_what_tests_see_without_secrets_and_without_a_network() {
    let step = "prepare = [\"env > seen; ls /sys/class/net >> seen\"]\n";
    let env = "[env]\nset = { GREETING = \"hello\" }\npass = [\"TOKEN\"]\n";
    let mut frozen = Frozen::new(&[INSTALL], &format!("{step}{env}"));
    frozen.0.variables.push(("TOKEN".to_owned(), "canary".to_owned()));
    let snapshot = frozen.build();
    assert_eq!(
        shell(&snapshot, "grep -c canary seen; grep GREETING seen; tail -1 seen"),
        "0\nGREETING=hello\nlo"
    );
}

#[test]
fn files_that_are_not_there_and_patterns_that_are_none_are_named() {
    let frozen = collecting("[\"**/static\", \"statc/**\"]");
    assert_eq!(
        build(&frozen).0.notes,
        ["[image] prepare: no file of the project is meant by statc/**"]
    );
    let frozen = collecting("[\"[a\"]");
    insta::assert_snapshot!(frozen.0.build(&["--runtime", "docker"]).error(2), @r#"
    error: cannot tell what a step of [image] prepare reads
      because: "[a" is not a pattern of files
      because: error parsing glob '[a': unclosed character class; missing ']'
    "#);
}

#[test]
fn what_a_step_leaves_in_a_volume_is_not_lost_without_a_word() {
    let step = "prepare = [\"mkdir -p /data/static && touch /data/static/all\"]\n";
    let frozen = Frozen::on(step, "RUN mkdir -m 777 /data && touch /data/there\nVOLUME /data");
    let error = frozen.error();
    let told = "[image] prepare leaves files in /data, which is a volume of";
    assert!(error.contains(told), "{error}");
    assert!(!frozen.has_containers());

    let beside = "prepare = [\"cat /data/there && touch static\"]\n";
    let built = Frozen::on(beside, "RUN mkdir -m 777 /data && touch /data/there\nVOLUME /data");
    assert_eq!(shell(&built.build(), "ls static"), "static");
}
