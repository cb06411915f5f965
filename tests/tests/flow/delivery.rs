//! Agents whose Docker Engines are not the one that the snapshot was built on.

use std::fs;
use std::path::Path;
use std::process::Command;

use muletrain_proto::journal::Record;
use muletrain_proto::snapshot::Content;
use muletrain_tests::engine::{docker, prepare};
use muletrain_tests::fleet::{Fleet, bytes_below, serve};
use muletrain_tests::flow::Flow;
use muletrain_tests::private_engine::{Events, PrivateEngine};
use muletrain_tests::project;
use rustix::process::Signal;

/// More than the layer of a small change has, and less than any other.
const SMALL: u64 = 64 << 10;

const TESTS: &str = "from django.test import SimpleTestCase\n\n\n\
                     class AppTest(SimpleTestCase):\n    def test_passes(self):\n        pass\n";

/// Tests that want a service.
const CLIENT: &str = "\
from urllib.request import urlopen

from django.test import SimpleTestCase


class ServiceTest(SimpleTestCase):
    def test_it_answers(self):
        self.assertEqual(urlopen('http://pages:8000/').status, 200)
";

fn flow() -> Flow {
    Flow::small(&[("app/tests.py", TESTS), ("other/tests.py", TESTS)])
}

/// An image of a server, of the base image's layers; it goes when this is dropped.
struct ServiceImage(String);

impl ServiceImage {
    fn make(folder: &Path) -> Self {
        let name = format!("muletrain-test-pages:{}", std::process::id());
        let server = r#"CMD ["python3", "-m", "http.server", "8000", "--directory", "/etc"]"#;
        let text = format!("FROM muletrain-test-base:bookworm\n{server}\n");
        fs::create_dir(folder).expect("the folder is new");
        fs::write(folder.join("Dockerfile"), text).expect("files can be written");
        docker(&["build", "--quiet", "--tag", &name, &folder.display().to_string()]);
        Self(name)
    }

    /// Of a project whose tests use it as a service. Nobody else tests as this user, so that nobody
    /// else makes anchors that this project's layers are put on.
    fn configuration(&self) -> String {
        let name = &self.0;
        format!(
            "[image]\nbase = 'muletrain-test-base:bookworm'\n\
             install = ['pip install -r requirements.txt']\nuser = '1234:1234'\n\
             [services.pages]\nimage = '{name}'\nready_port = 8000\n"
        )
    }
}

impl Drop for ServiceImage {
    fn drop(&mut self) {
        // One that is not there need not go.
        let _ = Command::new("docker").args(["image", "rm", "--force", &self.0]).output();
    }
}

/// The image that the newest run's tests ran in.
fn image(flow: &Flow) -> String {
    let journal = flow.journal().expect("a run leaves its journal");
    let opened = journal.records.into_iter().find_map(|record| match record {
        Record::Opened { snapshot, .. } => Some(snapshot.content),
        _ => None,
    });
    match opened {
        Some(Content::Docker { image, .. }) => image,
        other => panic!("the run was not in containers: {other:?}"),
    }
}

#[test]
fn what_an_engine_lacks_comes_once_through_the_scheduler_and_then_only_what_changed() {
    prepare();
    let engines = [PrivateEngine::start(), PrivateEngine::start()];
    let flow = Flow::small(&[("app/tests.py", TESTS), ("other/tests.py", CLIENT)]);
    let service = ServiceImage::make(&flow.path("service"));
    project::write(&flow.project, "muletrain.toml", &service.configuration());
    let fleet = Fleet::start(flow, &engines.each_ref().map(Some));
    let saves = Events::of_images("save", fleet.flow.path("saves"));
    fleet.submit().end().expect(0);
    let (first, before) = (image(&fleet.flow), fleet.kept());
    saves.until(&first);
    let has = |engine: &PrivateEngine, image: &str| {
        engine.docker(&["image", "ls", "--all", "--quiet", "--no-trunc"]).contains(image)
    };
    assert!(engines.iter().any(|engine| has(engine, &first)));
    assert!(fleet.fetches(&first).iter().all(|count| *count <= 1), "{:?}", fleet.fetches(&first));

    project::write(&fleet.flow.project, "app/models.py", "CHANGED = True\n");
    let ended = fleet.submit().end();
    ended.expect(0);
    let second = image(&fleet.flow);
    assert_ne!(second, first);
    let sent = fleet.kept() - before;
    assert!(sent < SMALL, "{sent} bytes were sent for one changed file: {}", ended.stderr);
    assert_eq!((saves.count(&first), saves.count(&second)), (1, 0));
    fleet.stop();
}

#[test]
fn sending_goes_on_where_it_was_when_the_scheduler_comes_back() {
    prepare();
    let mut fleet = Fleet::start(flow(), &[None]);
    let mut submitted = fleet.submit();
    let unfinished = fleet.flow.path("served/blobs/unfinished");
    submitted.until("a part of a layer", |_| (bytes_below(&unfinished) > SMALL).then_some(()));
    fleet.scheduler.signal(Signal::KILL);
    assert_eq!(fleet.scheduler.end().status.code(), None);
    let had = bytes_below(&unfinished);
    assert!(had > 0, "it arrived before the scheduler was ended");
    fleet.scheduler = serve(&fleet.flow);
    submitted.end().expect(0);
    assert_eq!(bytes_below(&unfinished), 0);
    let said = fleet.scheduler.stderr();
    let arrived = said.lines().filter_map(sizes).any(|(size, bytes)| size == bytes + had);
    assert!(arrived, "{had} bytes were there already: {said}");
    fleet.stop();
}

/// All bytes of a blob that arrived, and those of them that were sent.
fn sizes(line: &str) -> Option<(u64, u64)> {
    let number = |name: &str| {
        let (_, rest) = line.split_once(name)?;
        rest.split(' ').next()?.parse().ok()
    };
    Some((number(" size=")?, number(" bytes=")?))
}
