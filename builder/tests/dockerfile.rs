//! Images that are built of a Dockerfile, on a real engine.

#![expect(clippy::unwrap_used, reason = "a test that panics fails, as it should")]

mod support;

use support::Project;
use support::engine::{BASE, Frozen, INSTALL, base, docker, image, shell};

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

/// What comes before the code in the Dockerfiles below: "Django", and something of one file.
fn dependencies() -> String {
    let install = INSTALL.replace("django", "/context/django");
    format!(
        "FROM {}\nWORKDIR /code\nCOPY django /context/django\nCOPY requirements*.txt ./\n\
         RUN {install} && cat requirements.txt > /installed\n",
        *BASE
    )
}

fn of(instructions: &str) -> Frozen {
    let frozen = Frozen(Project::new("[image]\ndockerfile = \"Dockerfile\"\n"));
    frozen.0.write("requirements.txt", "one");
    frozen.0.write(".dockerignore", "shop/tests.py\n");
    // Tests at once must not find the images of one another.
    let own = frozen.0.name();
    frozen.0.write("Dockerfile", &format!("{}RUN : {own}\n{instructions}\n", dependencies()));
    frozen
}

#[test]
fn a_change_of_code_that_is_only_copied_builds_nothing() {
    let frozen = of("COPY --chown=1000:1000 . .\nENV A=b\nCMD [\"true\"]");
    frozen.0.write("shop/old.py", "x = 1\n");
    frozen.0.write("shop/tests.py", "# ignored by the Dockerfile, tracked by git\n");
    let first = frozen.build();

    frozen.0.write("shop/models.py", "x = 2\n");
    frozen.0.remove("shop/old.py");
    let built = frozen.0.build(&["--runtime", "docker"]);
    let second = built.snapshot();

    assert!(!built.stderr.contains("building Dockerfile"), "{}", built.stderr);
    assert_eq!(base(&second), base(&first));
    let files = shell(&second, "find . -type f -not -name '*.pyc' | sort; cat shop/models.py");
    insta::assert_snapshot!(files, @r"
    ./.dockerignore
    ./Dockerfile
    ./django/__init__.py
    ./manage.py
    ./muletrain.toml
    ./requirements.txt
    ./shop/__init__.py
    ./shop/models.py
    ./shop/tests.py
    x = 2
    ");
    assert_eq!(
        shell(&second, "cat shop/tests.py; echo $A"),
        "# ignored by the Dockerfile, tracked by git\nb"
    );

    frozen.0.write("requirements.txt", "two");
    let third = frozen.build();
    assert_ne!(base(&third), base(&first));
    assert_eq!(shell(&third, "cat /installed requirements.txt shop/models.py"), "twotwox = 2");
}

#[test]
fn code_that_a_step_may_read_builds_again_and_gives_the_same_tree() {
    let tree = "find . -name __pycache__ -prune -o -printf '%y %m %U:%G %p -> %l\\n' | sort; \
                find . -name __pycache__ -prune -o -type f -exec sha256sum {} + | sort; id; pwd";
    let run = "RUN cat shop/models.py > /seen";
    let (placed, read) = (of("COPY . ."), of(&format!("COPY . .\n{run}")));
    let trees = [&placed, &read].map(|frozen| {
        std::os::unix::fs::symlink("shop", frozen.0.path().join("link")).unwrap();
        let built = frozen.0.build(&["--runtime", "docker"]);
        let seen = shell(&built.snapshot(), tree);
        let lines = seen.lines().filter(|line| !line.ends_with("./Dockerfile"));
        (built, lines.map(str::to_owned).collect::<Vec<_>>())
    });
    let [(_, placed), (built, whole)] = trees;
    assert_eq!(placed, whole);

    let told = "builder: Dockerfile is built again at every change of the code, since line 8 runs \
                after line 7 has copied it; move that up, or into [image] prepare";
    assert!(built.stderr.contains(told), "{}", built.stderr);
    read.0.write("shop/models.py", "x = 2\n");
    let second = read.build();
    assert_ne!(base(&second), base(&built.snapshot()));
    assert_eq!(shell(&second, "cat /seen shop/models.py"), "x = 2\nx = 2");
}

#[test]
fn files_of_the_project_that_a_dockerfile_alters_are_told_of() {
    let frozen = of("COPY . .\nRUN chmod +x shop/models.py\nCOPY shop/models.py manage.py");
    frozen.0.write("shop/models.py", "x = 1\n");
    let snapshot = frozen.build();
    insta::assert_snapshot!(snapshot.notes.join("\n"), @"the Dockerfile alters files of the project in /code, 2 in all, such as manage.py, shop/models.py: the snapshot has them as they are in the checkout; alter them in [image] prepare, if tests need that");
    assert_eq!(shell(&snapshot, "cat manage.py; stat -c %a shop/models.py"), "644");
    assert_eq!(frozen.build().notes, snapshot.notes);
}

#[test]
fn proxies_reach_the_steps_and_stay_out_of_the_image() {
    let mut frozen = of("RUN test \"$HTTPS_PROXY$no_proxy\" != \"\"");
    let bundle = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(bundle.path(), "-----BEGIN CERTIFICATE-----\ncanary-bundle\n").unwrap();
    let image_with =
        format!("[image]\ndockerfile = \"Dockerfile\"\nca_bundle = {:?}\n", bundle.path());
    frozen.0.write("muletrain.toml", &image_with);
    for name in ["HTTPS_PROXY", "no_proxy"] {
        frozen.0.variables.push((name.to_owned(), "canary-proxy".to_owned()));
    }
    let snapshot = frozen.build();
    insta::assert_snapshot!(snapshot.notes.join("\n"), @"[image] ca_bundle is for the install steps: the steps of Dockerfile do not see it, since a build can be given no file but the project's; install what needs it with [image] packages and install, or COPY the certificates");
    let told = docker(&["image", "inspect", image(&snapshot), &base(&snapshot)])
        + &docker(&["history", "--no-trunc", image(&snapshot)]);
    assert!(!told.contains("canary"), "{told}");
    assert_eq!(shell(&snapshot, "env | grep -ci proxy; :"), "0");
}
