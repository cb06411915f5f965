//! Snapshots of one tree on several engines, and what is removed of them again.

use std::fs::{self, File};
use std::process::Command;

use muletrain_proto::snapshot::{self, Content};
use muletrain_tests::engine::{docker, prepare};
use muletrain_tests::flow::Flow;
use muletrain_tests::private_engine::PrivateEngine;
use muletrain_tests::program::Ended;
use muletrain_tests::project::write;
use muletrain_tests::relay::Relay;

/// More than all that is asked and told for one layer.
const TALK: u64 = 64 << 10;

/// MiB of a disk that has room for the base and little else.
const DISK: u64 = 700;

/// A project and an engine that has its base, and nothing that others have built on it.
pub(crate) fn base(start: impl FnOnce() -> PrivateEngine) -> (Flow, PrivateEngine) {
    prepare();
    let flow = Flow::small(&[("app/models.py", "x = 1\n")]);
    let snapshot = image(&build_at(None, &flow));
    let base = inspect("{{index .Config.Labels \"muletrain.base-image\"}}", &snapshot);
    let name = inspect("{{index .RepoTags 0}}", &base);
    let engine = start();
    let file = flow.path("base.tar").display().to_string();
    docker(&["save", "--output", &file, &name, "muletrain-test-base:bookworm"]);
    engine.docker(&["load", "--quiet", "--input", &file]);
    (flow, engine)
}

/// Builds a snapshot on an engine. The id of its image.
#[track_caller]
fn build(flow: &Flow, engine: Option<&PrivateEngine>) -> String {
    image(&build_at(engine.map(PrivateEngine::address).as_deref(), flow))
}

/// Builds a snapshot on an engine at an address, else on that of this host, where the builder has
/// another cache.
pub(crate) fn build_at(address: Option<&str>, flow: &Flow) -> Ended {
    flow.start(&mut build_command(address, flow)).end()
}

pub(crate) fn build_command(address: Option<&str>, flow: &Flow) -> Command {
    let mut command = flow.command("muletrain-builder");
    command.arg("build").arg(&flow.project).args(["--runtime", "docker"]);
    if let Some(address) = address {
        command.args(["--docker-host", address]);
        command.env("MULETRAIN_CACHE", flow.path("other cache"));
    }
    command
}

/// The id of the image that a builder has made.
#[track_caller]
pub(crate) fn image(built: &Ended) -> String {
    built.expect(0);
    match snapshot::read(&built.stdout).unwrap().content {
        Content::Docker { image, .. } => image,
        Content::Process { .. } => panic!("it is an image"),
    }
}

fn inspect(format: &str, image: &str) -> String {
    docker(&["image", "inspect", "--format", format, image]).trim().to_owned()
}

#[test]
fn one_tree_on_one_anchor_is_one_image_wherever_it_is_built() {
    let (flow, one) = base(PrivateEngine::start);
    let anchor = build(&flow, Some(&one));
    let name = one.docker(&["image", "inspect", "--format", "{{index .RepoTags 0}}", &anchor]);
    let file = flow.path("anchor.tar").display().to_string();
    one.docker(&["save", "--output", &file, name.trim()]);
    let other = PrivateEngine::start();
    for name in ["base.tar", "anchor.tar"] {
        other.docker(&["load", "--quiet", "--input", &flow.path(name).display().to_string()]);
    }

    write(&flow.project, "app/models.py", "x = 2\n");
    write(&flow.project, "app/new/a file.py", "y = 1\n");
    let here = build(&flow, Some(&one));
    fs::remove_dir_all(flow.path("other cache")).unwrap();
    assert_eq!(here, build(&flow, Some(&other)));
    assert_ne!(here, anchor);
}

#[test]
fn an_engine_behind_tcp_is_sent_what_changed_and_little_else() {
    let (flow, engine) = base(PrivateEngine::start);
    let relay = Relay::to(&engine.socket());
    for file in 0..200 {
        write(&flow.project, &format!("app/modules/{file}.py"), &"x = 1\n".repeat(1_000));
    }
    let anchor = image(&build_at(Some(&relay.address()), &flow));
    let all = relay.sent();
    assert!(all > 200 * 6_000, "all of the tree takes more than {all} bytes");

    let text = "y = 2\n".repeat(20_000);
    write(&flow.project, "app/models.py", &text);
    let changed = image(&build_at(Some(&relay.address()), &flow));
    let sent = relay.sent() - all;
    assert!(sent < TALK + text.len() as u64, "{sent} bytes for one file of {}", text.len());
    assert_ne!(changed, anchor);
    let seen =
        engine.docker(&["run", "--rm", "--network", "none", &changed, "cat", "app/models.py"]);
    assert_eq!(seen.trim(), text.trim());
}

#[test]
fn what_nobody_uses_is_removed_and_what_a_container_uses_stays() {
    let (flow, engine) = base(PrivateEngine::start);
    let build_with = |text| {
        write(&flow.project, "app/models.py", text);
        build(&flow, Some(&engine))
    };
    let (anchor, used, unused) =
        (build_with("x = 1\n"), build_with("x = 2\n"), build_with("x = 3\n"));
    engine.docker(&["create", &used, "true"]);
    // One without a name, as where two builders have made the same.
    let nameless = build_with("x = 4\n");
    let name = engine.docker(&["image", "inspect", "--format", "{{index .RepoTags 0}}", &nameless]);
    engine.docker(&["tag", &used, name.trim()]);

    let mut command = flow.command("muletrain-builder");
    command.args(["gc", "--keep-bytes", "0", "--keep-recent", "0"]);
    command.args(["--docker-host", &engine.address()]);
    let removed = flow.start(command.env("MULETRAIN_CACHE", flow.path("other cache"))).end();
    removed.expect(0);

    let left = engine.docker(&["images", "--all", "--quiet", "--no-trunc"]);
    assert!(left.contains(&used), "{left}");
    assert!(!left.contains(&unused) && !left.contains(&nameless), "{left}");
    assert!(left.contains(&anchor), "what a container's image is made on stays: {left}");
    assert!(removed.stdout.contains("removed muletrain-snapshot:"), "{}", removed.stdout);
    let foreign = engine.docker(&["images", "--quiet", "muletrain-test-base"]);
    assert_eq!(foreign.lines().count(), 1, "an image of somebody else");
    // Whatever is gone, the next snapshot is whole.
    assert_eq!((build_with("x = 3\n"), build_with("x = 4\n")), (unused, nameless));
}

#[test]
fn a_disk_that_is_full_is_named_and_leaves_nothing_half_made() {
    let (flow, engine) = base(|| PrivateEngine::start_on_disk(DISK));
    let large = flow.project.join("large.bin");
    File::create(&large).unwrap().set_len(DISK << 20).unwrap();
    let full = build_at(Some(&engine.address()), &flow);
    full.expect(4);
    assert!(full.stderr.contains("no space left on device"), "{}", full.stderr);
    assert_eq!(engine.docker(&["images", "--quiet", "muletrain-snapshot"]), "");
    assert_eq!(engine.docker(&["ps", "--all", "--quiet"]), "");

    fs::remove_file(large).unwrap();
    let whole = build(&flow, Some(&engine));
    let models =
        engine.docker(&["run", "--rm", "--network", "none", &whole, "cat", "app/models.py"]);
    assert_eq!(models.trim(), "x = 1");
}
