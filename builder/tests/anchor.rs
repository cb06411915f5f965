//! Later trees as layers on an anchor, on a real engine. Without one, these fail.

#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod support;

use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

use muletrain_proto::snapshot::Snapshot;
use support::engine::{Frozen, INSTALL, docker, image, shell};

/// Every file, link and folder of the project: its type, mode, owner and name, where a link leads,
/// and what a file holds, without bytecode.
const TREE: &str = "find . -name __pycache__ -prune -o -printf '%y %m %U:%G %p -> %l\\n' | \
    LC_ALL=C sort; find . -name __pycache__ -prune -o -type f -exec sha256sum {} + | LC_ALL=C sort";

fn layers(snapshot: &Snapshot) -> Vec<String> {
    let format = "{{join .RootFS.Layers \" \"}}";
    let layers = docker(&["inspect", "--format", format, image(snapshot)]);
    layers.split(' ').map(str::to_owned).collect()
}

/// A project with an anchor and one more layer.
fn changed() -> (Frozen, Snapshot, Snapshot) {
    // Not by its name, or installing would be given what the project has there.
    let stranger = "name=shop_; mkdir -m 700 ${name%_}; echo stranger >${name%_}/stranger.py";
    let frozen = Frozen::new(&[INSTALL, stranger], "");
    let odd = frozen.0.path().join(OsStr::from_bytes(b"caf\xe9.txt"));
    std::fs::write(&odd, "odd").unwrap();
    symlink("shop", frozen.0.path().join("link")).unwrap();
    for path in ["old/deep/a.py", "old/b.py", "shop/gone.py", "file", "folder/x.py"] {
        frozen.0.write(path, &format!("# {path}\n"));
    }
    let first = frozen.build();
    std::fs::remove_dir_all(frozen.0.path().join("old")).unwrap();
    frozen.0.remove("shop/gone.py");
    frozen.0.remove("file");
    frozen.0.write("file/now a folder.py", "x = 1\n");
    std::fs::remove_dir_all(frozen.0.path().join("folder")).unwrap();
    symlink("shop", frozen.0.path().join("folder")).unwrap();
    frozen.0.write("shop/models.py", "x = 2\n");
    std::fs::write(&odd, "odder").unwrap();
    std::fs::remove_file(frozen.0.path().join("link")).unwrap();
    symlink("manage.py", frozen.0.path().join("link")).unwrap();
    let executable = Permissions::from_mode(0o755);
    std::fs::set_permissions(frozen.0.path().join("manage.py"), executable).unwrap();
    let second = frozen.build();
    (frozen, first, second)
}

#[test]
fn a_changed_tree_is_one_layer_on_the_anchor() {
    let (frozen, first, second) = changed();
    let (lower, all) = (layers(&first), layers(&second));
    assert_eq!((all.len(), &all[..lower.len()]), (lower.len() + 1, &lower[..]));
    assert_eq!(shell(&second, "touch shop/models.py new file/x && id -u"), "1000");

    frozen.0.write("shop/models.py", "x = 3\n");
    let third = frozen.build();
    assert_eq!(layers(&third).len(), all.len(), "never a layer on a layer");
    frozen.0.write("shop/models.py", "x = 2\n");
    assert_eq!(image(&frozen.build()), image(&second));
}

#[test]
fn the_same_tree_on_the_same_anchor_is_the_same_image() {
    let (frozen, first, second) = changed();
    docker(&["rmi", "--force", image(&second)]);
    // A builder that has not made the anchor asks the image what it holds.
    std::fs::remove_dir_all(frozen.0.cache().join("anchors")).unwrap();
    assert_eq!(image(&frozen.build()), image(&second));
    assert_ne!(image(&first), image(&second));
}

#[test]
fn a_layer_makes_the_same_tree_as_sending_all_of_it() {
    let (frozen, first, second) = changed();
    let lower = layers(&first).len();
    let tree = shell(&second, TREE);
    docker(&["rmi", "--force", image(&second), image(&first)]);
    let whole = frozen.build();
    assert_eq!(layers(&whole).len(), lower);
    assert_eq!(shell(&whole, TREE), tree);
    for line in [
        "d 755 1000:1000 ./shop -> \n",
        "f 755 1000:1000 ./manage.py -> \n",
        "l 777 1000:1000 ./link -> manage.py\n",
        "f 644 0:0 ./shop/stranger.py -> \n",
        "./file/now a folder.py",
    ] {
        assert!(tree.contains(line), "{line} is not in\n{tree}");
    }
    assert!(!tree.contains("./old"), "{tree}");
}

#[test]
fn a_volume_that_would_lose_code_is_refused() {
    for volume in ["/app", "/app/shop"] {
        let error = Frozen::on("", &format!("VOLUME {volume}")).error();
        let told =
            format!("has a volume at {volume}, and the project goes to /app: what it has in");
        assert!(error.contains(&told), "{error}");
        assert!(error.contains("remove the VOLUME"), "{error}");
    }
    let linked = "RUN mkdir /real && ln -s /real /link\nVOLUME /real";
    let error = Frozen::on("root = \"/link/app\"\n", linked).error();
    assert!(error.contains("a volume at /real, and the project goes to /real/app"), "{error}");

    let frozen = Frozen::on("root = \"//srv/./app\"\n", "VOLUME /data /srv/app/media");
    let beside = frozen.build();
    assert_eq!(beside.content.root(), "/srv/app");
    assert_eq!(shell(&beside, "pwd; ls -d shop/models.py"), "/srv/app\nshop/models.py");
}

#[test]
fn a_root_behind_a_link_is_the_folder_that_the_link_means() {
    for (root, target) in [("/link/app", "/real"), ("/link", "/real/app")] {
        let links = format!(
            "RUN mkdir -p /real/app && touch /real/kept && ln -s {target} /link\n\
             STOPSIGNAL SIGINT\nHEALTHCHECK CMD true"
        );
        let install = "install = [\"cp manage.py /installed\"]\n";
        let frozen = Frozen::on(&format!("root = {root:?}\n{install}"), &links);
        frozen.0.write("shop/old.py", "");
        let first = frozen.build();
        assert_eq!(first.content.root(), "/real/app");
        frozen.0.remove("shop/old.py");
        frozen.0.write("shop/models.py", "x = 2\n");
        let second = frozen.build();
        assert_eq!(layers(&second).len(), layers(&first).len() + 1);
        let config = ["inspect", "--format", "{{.Config.StopSignal}} {{json .Config.Healthcheck}}"];
        let kept = |snapshot| docker(&[&config[..], &[image(snapshot)]].concat());
        assert!(kept(&first).starts_with("SIGINT {\"Test\""), "{}", kept(&first));
        assert_eq!(kept(&second), kept(&first));
        let seen =
            format!("pwd; cat {root}/shop/models.py; cd {root}/shop && ls *.py; ls -d /real/kept");
        let expected = "/real/app\nx = 2\n__init__.py\nmodels.py\ntests.py\n/real/kept";
        assert_eq!(shell(&second, &seen), expected);
    }
}

#[test]
fn what_the_base_has_as_well_is_never_hidden() {
    let frozen = Frozen::on(
        "",
        "WORKDIR /app\nRUN mkdir -p media front/node_modules/x && echo base >covered",
    );
    for path in ["media/a", "front/a.js", "covered", "old/a"] {
        frozen.0.write(path, "the project's");
    }
    let anchor = layers(&frozen.build()).len();
    for (path, seen) in [
        ("old/a", "covered front front/a.js front/node_modules media media/a"),
        ("media/a", "covered front front/a.js front/node_modules media"),
        ("front/a.js", "covered front front/node_modules media"),
        ("covered", "covered front front/node_modules media"),
    ] {
        frozen.0.remove(path);
        let snapshot = frozen.build();
        let list = "find covered media front old -maxdepth 1 2>&- | sort | xargs";
        assert_eq!(shell(&snapshot, list), seen, "without {path}");
        assert_eq!(layers(&snapshot).len() > anchor, path == "old/a", "without {path}");
    }
    assert_eq!(shell(&frozen.build(), "cat covered"), "base");
}

#[test]
fn a_file_named_like_a_mark_of_layers_stays_out_and_hides_nothing() {
    let frozen = Frozen::new(&[INSTALL], "");
    frozen.0.write("shop/.wh.models.py", "");
    frozen.0.write("shop/.wh..wh..opq", "");
    let built = frozen.0.build(&["--runtime", "docker"]);
    let told = "left out shop/.wh..wh..opq, shop/.wh.models.py: a name with .wh.";
    assert!(built.stderr.contains(told), "{}", built.stderr);
    assert_eq!(
        shell(&built.snapshot(), "cd shop && ls -A *.py .wh* 2>&-; :"),
        "__init__.py\nmodels.py\ntests.py"
    );
}

#[test]
fn much_that_changed_makes_another_anchor() {
    let frozen = Frozen::new(&[INSTALL], "");
    let first = frozen.build();
    frozen.0.write("fixtures.json", &"[1, 2, 3]".repeat(2 << 20));
    let second = frozen.build();
    assert_eq!(layers(&second).len(), layers(&first).len());
    frozen.0.write("shop/models.py", "x = 2\n");
    let third = frozen.build();
    let anchor = layers(&second);
    assert_eq!(layers(&third)[..anchor.len()], anchor, "the newest anchor that is near");
}

#[test]
fn code_is_compiled_ahead_and_what_changed_is_never_taken_from_it() {
    let frozen = Frozen::new(&[INSTALL], "");
    frozen.0.write("broken.py", "x = (\n");
    frozen.0.write("shop/models.py", "x = 1\n");
    let first = frozen.build();
    let compiled = "python3 -v -c 'import shop.models' 2>&1 | grep -c 'matches .*models.py'; :";
    let value = "python3 -c 'import shop.models; print(shop.models.x)'";
    assert_eq!(shell(&first, compiled), "1");
    // As long as before, and as old as everything in an image.
    frozen.0.write("shop/models.py", "x = 2\n");
    let second = frozen.build();
    assert_eq!(shell(&second, compiled), "0");
    assert_eq!(shell(&second, value), "2");
    frozen.0.remove("shop/models.py");
    let gone = "python3 -c 'import shop.models' 2>&1 | tail -1";
    let error = "ModuleNotFoundError: No module named 'shop.models'";
    assert_eq!(shell(&frozen.build(), gone), error);
}

#[test]
fn builders_at_once_make_one_snapshot() {
    let frozen = Frozen::new(&[INSTALL], "");
    frozen.build();
    frozen.0.write("shop/models.py", "x = 2\n");
    let builders: Vec<_> = (0..3)
        .map(|_| {
            let mut command = frozen.0.command(&["--runtime", "docker"]);
            command.stdout(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let images = builders.into_iter().map(|builder| {
        let output = builder.wait_with_output().unwrap();
        assert!(output.status.success());
        let snapshot: Snapshot = serde_json::from_slice(&output.stdout).unwrap();
        image(&snapshot).to_owned()
    });
    let images: std::collections::BTreeSet<String> = images.collect();
    assert_eq!(images.len(), 1);
}

#[test]
fn a_tree_that_changes_while_it_is_read_gives_a_whole_snapshot_or_says_so() {
    let frozen = Frozen::new(&[INSTALL], "");
    frozen.build();
    let script = "i=0; while [ -e shop ]; do i=$((i+1)); echo \"x = $i\" >shop/models.py; done";
    let mut writer =
        Command::new("sh").args(["-c", script]).current_dir(frozen.0.path()).spawn().unwrap();
    let built = frozen.0.build(&["--runtime", "docker"]);
    writer.kill().unwrap();
    writer.wait().unwrap();
    match built.code {
        Some(0) => {
            let text = shell(&built.snapshot(), "cat shop/models.py");
            assert!(text.is_empty() || text.starts_with("x = "), "{text}");
        }
        _ => assert!(built.error(4).contains("shop/models.py keeps changing while it is read")),
    }
}

#[test]
fn what_was_not_used_for_longest_is_removed_first() {
    let (frozen, first, second) = changed();
    let gc = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_muletrain-builder"));
        command.args(["gc", "--json", "--dry-run", "--cache"]).arg(frozen.0.cache());
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    let position = |report: &serde_json::Value, snapshot: &Snapshot| {
        let format = "{{index .RepoTags 0}}";
        let name = docker(&["inspect", "--format", format, image(snapshot)]);
        let removed = report["removed"].as_array().unwrap();
        removed.iter().position(|line| line["name"] == name.as_str())
    };
    let container = docker(&["create", image(&second)]);
    let all = gc(&["--keep-bytes", "1b", "--keep-recent", "1ms"]);
    docker(&["rm", &container]);
    assert_eq!((position(&all, &second), position(&all, &first)), (None, None), "in use");
    let all = gc(&["--keep-bytes", "1b", "--keep-recent", "1ms"]);
    assert!(position(&all, &second).unwrap() < position(&all, &first).unwrap());
    assert_eq!(position(&gc(&["--keep-bytes", "1b"]), &second), None, "used just now");
    assert_eq!(position(&gc(&["--keep-recent", "1ms"]), &second), None, "there is room");
}
