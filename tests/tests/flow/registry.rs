//! Bases by a registry: pushed by whoever makes one, pulled by everybody else, and done without
//! where the registry is gone.

use std::collections::BTreeSet;

use muletrain_tests::engine::{docker, prepare};
use muletrain_tests::fleet::Fleet;
use muletrain_tests::flow::Flow;
use muletrain_tests::private_engine::PrivateEngine;
use muletrain_tests::program::Ended;
use muletrain_tests::project::write;
use muletrain_tests::registry::{PASSWORD, Registry};

/// More than all of an image but its base, and much less than that.
const SMALL: u64 = 4 << 20;

const BASE: &str = "muletrain-test-base:bookworm";

const TESTS: &str = "from django.test import SimpleTestCase\n\n\n\
                     class AppTest(SimpleTestCase):\n    def test_passes(self):\n        pass\n";

/// A builder's engine, an agent's, and a registry that both reach.
struct Team {
    // First, because it leaves what it says in its folder, and the engines hold what it runs.
    fleet: Fleet,
    registry: Registry,
    builder: PrivateEngine,
    agent: PrivateEngine,
}

impl Team {
    /// Starts it: the builder's engine has the base, because no package can be had from there.
    fn start() -> Self {
        prepare();
        let flow = Flow::small(&[("app/tests.py", TESTS)]);
        let (builder, agent) = (PrivateEngine::start(), PrivateEngine::start());
        let built = flow.start(flow.command("muletrain-builder").arg("build").arg(&flow.project));
        let built = built.end();
        built.expect(0);
        let snapshot = muletrain_proto::snapshot::read(&built.stdout).unwrap();
        let image = muletrain_proto::blob::images(&snapshot)[0].to_string();
        let base = inspect("{{index .Config.Labels \"muletrain.base-image\"}}", &image);
        let name = inspect("{{index .RepoTags 0}}", &base);
        let archive = flow.path("base.tar").display().to_string();
        docker(&["save", "--output", &archive, &name, BASE]);
        builder.docker(&["load", "--quiet", "--input", &archive]);
        let registry = Registry::start(&[&builder, &agent]);
        let text = format!(
            "[image]\nbase = '{BASE}'\ninstall = ['pip install -r requirements.txt']\n\
             registry = '{}'\n",
            registry.repository()
        );
        write(&flow.project, "muletrain.toml", &text);
        let login = registry.login();
        let fleet = Fleet::start_with(flow, &[Some(&agent)], &[("DOCKER_CONFIG", &login)]);
        Self { fleet, registry, builder, agent }
    }

    /// Hands in the project, built on the builder's engine.
    fn submit(&self) -> Ended {
        let (login, cache) = (self.registry.login(), self.fleet.flow.path("cache"));
        let variables = [("DOCKER_CONFIG", login.as_path()), ("MULETRAIN_CACHE", &cache)];
        self.fleet.submit_with(Some(&self.builder), &variables).end()
    }

    /// Builds on the agent's engine, as another member of the team would.
    fn build_elsewhere(&self) -> Ended {
        let mut command = self.fleet.flow.command("muletrain-builder");
        command.arg("build").arg(&self.fleet.flow.project);
        command.args(["--runtime", "docker", "--docker-host", &self.agent.address()]);
        command.env("DOCKER_CONFIG", self.registry.login());
        command.env("MULETRAIN_CACHE", self.fleet.flow.path("other cache"));
        self.fleet.flow.start(&mut command).end()
    }

    /// Makes the agent's engine forget all images.
    fn forget_images(&self) {
        let images = self.agent.docker(&["images", "--all", "--quiet", "--no-trunc"]);
        let images: BTreeSet<&str> = images.lines().collect();
        let arguments: Vec<&str> = ["rmi", "--force"].into_iter().chain(images).collect();
        self.agent.docker(&arguments);
    }
}

fn inspect(format: &str, image: &str) -> String {
    docker(&["image", "inspect", "--format", format, image]).trim().to_owned()
}

#[test]
fn a_base_goes_by_the_registry_and_where_that_is_gone_by_the_scheduler() {
    let mut team = Team::start();
    let repository = team.registry.repository();
    let first = team.submit();
    first.expect(0);
    assert!(
        first.stderr.contains(&format!("pushing the base to {repository}")),
        "{}",
        first.stderr
    );
    assert!(team.registry.given(1) >= 2, "a configuration and layers");
    let kept = team.fleet.kept();
    assert!(kept < SMALL, "{kept} bytes went through the scheduler");

    // No package can be had from there, so what is not taken cannot be made.
    let archive = team.fleet.flow.path("base.tar").display().to_string();
    docker(&["save", "--output", &archive, BASE]);
    team.agent.docker(&["load", "--quiet", "--input", &archive]);
    let other = team.build_elsewhere();
    other.expect(0);
    assert!(other.stderr.contains(&format!("took the base from {repository}")), "{}", other.stderr);

    team.registry.stop();
    team.forget_images();
    write(&team.fleet.flow.project, "app/models.py", "CHANGED = True\n");
    let last = team.submit();
    last.expect(0);
    let warning = "the registry at 127.0.0.1:5000 cannot be used: ";
    assert!(last.stderr.contains(warning), "{}", last.stderr);
    assert!(team.fleet.kept() > 10 * SMALL, "{} bytes", team.fleet.kept());
    let agent = team.fleet.agents[0].stderr();
    assert!(agent.contains(&format!("cannot pull {repository}@sha256:")), "{agent}");

    for said in [&first.stderr, &other.stderr, &other.stdout, &last.stderr, &agent] {
        assert!(!said.contains(PASSWORD), "{said}");
    }
    let Team { fleet, .. } = team;
    fleet.stop();
}
