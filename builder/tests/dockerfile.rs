//! Images that are built of a Dockerfile, on a real engine.

#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod support;

use support::Project;
use support::engine::{BASE, Frozen, INSTALL, docker, shell};

#[test]
fn a_base_image_of_the_same_name_that_is_another_one_by_now_is_noticed() {
    let frozen = Frozen(Project::new("[image]\ndockerfile = \"Dockerfile\"\n"));
    let moving = format!("muletrain-test-moving:{}", std::process::id());
    let install = INSTALL.replace("django", "/context/django");
    let text = format!("FROM {moving}\nWORKDIR /code\nCOPY . /context\nRUN {install}\n");
    frozen.0.write("Dockerfile", &text);
    let newer = docker(&["create", "--label", "muletrain-test-moving", *BASE, "touch", "/newer"]);
    docker(&["start", "--attach", &newer]);

    docker(&["tag", *BASE, &moving]);
    let before = frozen.build();
    docker(&["commit", &newer, &moving]);
    docker(&["rm", &newer]);
    let after = frozen.build();
    let again = frozen.build();

    assert_eq!(shell(&before, "ls /newer || true"), "");
    assert_eq!(shell(&after, "ls /newer"), "/newer");
    assert_eq!(again.id, after.id);
    // What was made of an image goes before it.
    drop(frozen);
    docker(&["rmi", "--force", &moving]);
}
