//! An engine that is killed, and images that are removed, while a snapshot is made of them.

use muletrain_tests::private_engine::PrivateEngine;
use muletrain_tests::project::write;
use muletrain_tests::relay::{Hold, Relay};

use crate::engines::{base, build_at, build_command, image};

/// Random enough that nothing makes it smaller.
fn noise(bytes: usize) -> String {
    let mut state = 1_u64;
    let digits = (0..bytes / 16).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{state:016x}")
    });
    digits.collect()
}

#[test]
fn an_engine_that_is_killed_midway_has_nothing_half_made_when_it_is_back() {
    let (flow, mut engine) = base(PrivateEngine::start);
    let archive = Hold { request: "/archive", bytes: 2 << 20 };
    let commit = Hold { request: "/commit", bytes: 0 };
    let load = Hold { request: "/images/load", bytes: 1 << 20 };
    // The tree half sent, then all of it in a container that is no image yet; half of a layer.
    for (text, points) in [(noise(4 << 20), &[archive, commit][..]), (noise(2 << 20), &[load])] {
        write(&flow.project, "app/data.txt", &text);
        let snapshots = ["images", "--all", "--quiet", "--no-trunc", "muletrain-snapshot"];
        let before = engine.docker(&snapshots);
        for point in points {
            let relay = Relay::as_far_as(*point, &engine.socket());
            let builder = flow.start(&mut build_command(Some(&relay.address()), &flow));
            relay.holds();
            engine.kill();
            let ended = builder.end();
            ended.expect(4);
            assert!(ended.stderr.contains("the Docker Engine went away"), "{}", ended.stderr);
            engine.start_again();
            assert_eq!(engine.docker(&snapshots), before, "nothing half made: {point:?}");
        }
        let image = image(&build_at(Some(&engine.address()), &flow));
        let read = ["run", "--rm", "--network", "none", &image, "cat", "app/data.txt"];
        assert!(engine.docker(&read) == text, "the snapshot is whole");
    }
}

#[test]
fn an_image_that_somebody_removes_meanwhile_is_made_again() {
    let (flow, engine) = base(PrivateEngine::start);
    let build_without = |request, remove: &dyn Fn()| {
        let relay = Relay::as_far_as(Hold { request, bytes: 0 }, &engine.socket());
        let builder = flow.start(&mut build_command(Some(&relay.address()), &flow));
        relay.holds();
        remove();
        relay.release();
        let ended = builder.end();
        (image(&ended), ended.stderr)
    };
    let remove = |images: &str| {
        let names = engine.docker(&["images", "--format", "{{.Repository}}:{{.Tag}}", images]);
        for name in names.lines() {
            engine.docker(&["rmi", "--force", name]);
        }
        assert_eq!(engine.docker(&["images", "--quiet", images]), "");
    };
    let holds = |image: &str, text: &str| {
        let read = ["run", "--rm", "--network", "none", image, "cat", "app/models.py"];
        assert_eq!(engine.docker(&read), text);
    };

    // Nothing is installed from a network, which such an engine has not.
    let configuration = "[image]\nbase = 'muletrain-test-base:bookworm'\n\
                         install = ['cp -r django /usr/lib/python3/dist-packages/']\n";
    write(&flow.project, "muletrain.toml", configuration);
    write(&flow.project, "django/__init__.py", "");
    build_at(Some(&engine.address()), &flow).expect(0);
    remove("muletrain-snapshot");

    // What is installed, when all of the tree was about to be put on it.
    let (anchor, said) = build_without("/containers/create", &|| remove("muletrain-base"));
    assert!(said.contains("beginning again: image muletrain-"), "{said}");
    holds(&anchor, "x = 1");

    // The anchor, when a layer was about to be put on it.
    write(&flow.project, "app/models.py", "x = 2\n");
    let (whole, _) = build_without("/images/load", &|| remove("muletrain-snapshot"));
    holds(&whole, "x = 2");

    // The image that everything is made of, which nobody can make again.
    write(&flow.project, "app/models.py", "x = 3\n");
    remove("muletrain-snapshot");
    remove("muletrain-base");
    let relay =
        Relay::as_far_as(Hold { request: "/containers/create", bytes: 0 }, &engine.socket());
    let builder = flow.start(&mut build_command(Some(&relay.address()), &flow));
    relay.holds();
    remove("muletrain-test-base");
    relay.release();
    let ended = builder.end();
    ended.expect(4);
    assert!(
        ended.stderr.contains("no image muletrain-test-base:bookworm is here"),
        "{}",
        ended.stderr
    );
}
