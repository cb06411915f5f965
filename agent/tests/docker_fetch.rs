//! Images that an engine lacks, from a scheduler: what of them is sent, and what is said where
//! they cannot be had.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use futures_util::future::join_all;
use muletrain_agent::docker::Docker;
use muletrain_agent::pure::pod::Owner;
use muletrain_proto::blob::Digest;
use muletrain_proto::cli::chain;
use muletrain_proto::id::{AgentId, BootId, Epoch, LeaseId, LeaseKey};
use muletrain_proto::link::RunBrief;
use muletrain_proto::snapshot::{Base, Content};
use support::blobs::{Served, serve};
use support::fake_engine::{FakeEngine, State};
use support::project::brief;

/// What the layers of the image hold.
const LAYERS: [&[u8]; 2] = [b"all that others have too", b"what has changed"];

fn layers() -> Vec<String> {
    LAYERS.iter().map(|layer| Digest::of(layer).to_string()).collect()
}

fn configuration() -> Vec<u8> {
    let layers = layers();
    let (one, two) = (&layers[0], &layers[1]);
    let text = format!(
        r#"{{"os":"linux","architecture":"amd64","rootfs":{{"diff_ids":["{one}","{two}"]}}}}"#
    );
    text.into_bytes()
}

fn image() -> String {
    Digest::of(&configuration()).to_string()
}

/// A scheduler that has these parts of the image.
fn scheduler(parts: &[&[u8]]) -> Served {
    serve(parts.iter().map(|part| (Digest::of(part), part.to_vec())).collect(), usize::MAX >> 1)
}

/// An engine that has an image of the first layer, and takes archives of these.
fn engine(wants: &[&[u8]]) -> FakeEngine {
    FakeEngine::start(State {
        images: [("sha256:other".to_owned(), layers()[..1].to_vec())].into(),
        wants: wants.iter().map(|part| part.to_vec()).collect(),
        gives: Some((image(), layers())),
        ..State::default()
    })
}

/// An engine without images that reaches a registry with an image of the first layer.
fn engine_with_registry(id: &str, wants: &[&[u8]]) -> FakeEngine {
    let engine = engine(wants);
    let mut state = engine.state.lock().unwrap();
    state.images.clear();
    state.registry.insert(REFERENCE.to_owned(), (id.to_owned(), layers()[..1].to_vec()));
    drop(state);
    engine
}

const REFERENCE: &str = "registry.example:5000/team/base@sha256:\
                         85fb63573b4b88ba3418e45a497d01bd2e806c0e23ffabeaa3322eb694014bb6";

/// An image of the first layer, as a snapshot names it.
fn base() -> Base {
    let reference = REFERENCE.parse().unwrap();
    Base { image: "sha256:base".to_owned(), reference, layers: 1 }
}

fn run(platform: &str, base: Option<Base>) -> RunBrief {
    let [image, platform] = [image(), platform.to_owned()];
    let [root, user] = ["/app", "1:1"].map(str::to_owned);
    brief(Content::Docker { image, platform, root, user, base }, "python3", &["app"])
}

async fn connect(engine: &FakeEngine, scheduler: &Served) -> Docker {
    let (agent, boot) = (AgentId::new("fetch").unwrap(), BootId::new("1").unwrap());
    let docker = Docker::connect(&engine.endpoint(), Owner { agent, boot }).await.unwrap();
    docker.with_images_from(scheduler.address.clone())
}

/// Why there is no pod in the end: with the image, because this engine runs nothing.
async fn why(docker: &Docker, platform: &str) -> String {
    why_of(docker, run(platform, None)).await
}

async fn why_of(docker: &Docker, brief: RunBrief) -> String {
    let lease = LeaseKey { run: brief.run.clone(), lease: LeaseId(1), epoch: Epoch(1) };
    let why = chain(&docker.start(&lease, &brief).await.unwrap_err());
    why.replace(&image(), "IMAGE")
}

const RUNS_NOTHING: &str = "this engine runs nothing";

/// Which layers were in each archive.
fn sent(engine: &FakeEngine) -> Vec<[bool; 2]> {
    let loads = &engine.state.lock().unwrap().loads;
    let holds =
        |archive: &[u8], layer: &[u8]| archive.windows(layer.len()).any(|window| window == layer);
    loads.iter().map(|archive| LAYERS.map(|layer| holds(archive, layer))).collect()
}

#[tokio::test]
async fn layers_that_the_engine_has_are_not_sent() {
    let configuration = configuration();
    let (engine, scheduler) = (engine(&[LAYERS[1]]), scheduler(&[&configuration, LAYERS[1]]));
    let why = why(&connect(&engine, &scheduler).await, "linux/amd64").await;
    assert!(why.contains(RUNS_NOTHING), "{why}");
    assert_eq!(sent(&engine), [[false, true]]);
    let name = format!("muletrain-fetched:{}", image().trim_start_matches("sha256:"));
    let archive = String::from_utf8_lossy(&engine.state.lock().unwrap().loads[0]).into_owned();
    assert!(archive.contains(&name), "whoever looks after the host sees what it is");
}

#[tokio::test]
async fn an_engine_that_does_not_like_that_gets_everything() {
    let configuration = configuration();
    let scheduler = scheduler(&[&configuration, LAYERS[0], LAYERS[1]]);
    let engine = engine(&LAYERS);
    let why = why(&connect(&engine, &scheduler).await, "linux/amd64").await;
    assert!(why.contains(RUNS_NOTHING), "{why}");
    assert_eq!(sent(&engine), [[false, true], [true, true]]);
}

#[tokio::test]
async fn an_image_that_many_wait_for_is_fetched_once() {
    let configuration = configuration();
    let (engine, scheduler) = (engine(&[LAYERS[1]]), scheduler(&[&configuration, LAYERS[1]]));
    let docker = connect(&engine, &scheduler).await;
    let reasons = join_all((0..8).map(|_| why(&docker, "linux/amd64"))).await;
    assert!(reasons.iter().all(|why| why.contains(RUNS_NOTHING)), "{reasons:?}");
    assert_eq!(sent(&engine).len(), 1);
    assert_eq!(scheduler.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn an_image_for_other_machines_is_not_even_asked_for() {
    let (engine, scheduler) = (engine(&[]), scheduler(&[&configuration()]));
    let why = why(&connect(&engine, &scheduler).await, "linux/arm64").await;
    insta::assert_snapshot!(why, @"image IMAGE is for linux/arm64 and this Docker Engine runs linux/amd64; build the snapshot on such a machine, or run the agent on one for linux/arm64");
    assert!(scheduler.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_cannot_be_had_is_said_with_the_way_out() {
    let settled = |engine: &FakeEngine, scheduler: &Served, why: String| {
        let engine = engine.endpoint().to_string();
        why.replace(&engine, "ENGINE").replace(&scheduler.address.to_string(), "SCHEDULER")
    };
    let (lacking, nothing) = (engine(&[]), scheduler(&[]));
    let docker = connect(&lacking, &nothing).await;
    insta::assert_snapshot!(settled(&lacking, &nothing, why(&docker, "linux/amd64").await), @"image IMAGE is neither on this Docker Engine nor at the scheduler; submit the run again, which sends it there, or build the snapshot on this engine");

    let (lacking, part) = (engine(&[]), scheduler(&[&configuration()]));
    let docker = connect(&lacking, &part).await;
    insta::assert_snapshot!(settled(&lacking, &part, why(&docker, "linux/amd64").await), @"cannot bring image IMAGE to the Docker Engine at ENGINE: the scheduler at SCHEDULER does not have sha256:85fb63573b4b88ba3418e45a497d01bd2e806c0e23ffabeaa3322eb694014bb6; submit the run again, which sends what is missing");

    let (renaming, all) = (engine(&[]), scheduler(&[&configuration(), LAYERS[0], LAYERS[1]]));
    renaming.state.lock().unwrap().gives = None;
    let docker = connect(&renaming, &all).await;
    insta::assert_snapshot!(settled(&renaming, &all, why(&docker, "linux/amd64").await), @r#"cannot bring image IMAGE to the Docker Engine at ENGINE: the engine loaded it and has no image of that id; engines that keep images in containerd name them otherwise: turn that off ("features": {"containerd-snapshotter": false})"#);
}

#[tokio::test]
async fn the_base_comes_from_a_registry_once_and_the_rest_from_the_scheduler() {
    let configuration = configuration();
    let engine = engine_with_registry("sha256:base", &[LAYERS[1]]);
    let scheduler = scheduler(&[&configuration, LAYERS[1]]);
    let docker = connect(&engine, &scheduler).await;
    let reasons = join_all((0..4).map(|_| why_of(&docker, run("linux/amd64", Some(base()))))).await;
    assert!(reasons.iter().all(|why| why.contains(RUNS_NOTHING)), "{reasons:?}");
    assert_eq!(engine.state.lock().unwrap().pulls, [REFERENCE]);
    assert_eq!(sent(&engine), [[false, true]]);
}

#[tokio::test]
async fn a_registry_is_not_asked_for_layers_that_are_there() {
    let configuration = configuration();
    let (engine, scheduler) = (engine(&[LAYERS[1]]), scheduler(&[&configuration, LAYERS[1]]));
    let docker = connect(&engine, &scheduler).await;
    let why = why_of(&docker, run("linux/amd64", Some(base()))).await;
    assert!(why.contains(RUNS_NOTHING), "{why}");
    assert!(engine.state.lock().unwrap().pulls.is_empty());
}

#[tokio::test]
async fn what_a_registry_does_not_give_comes_from_the_scheduler() {
    let configuration = configuration();
    let scheduler = scheduler(&[&configuration, LAYERS[0], LAYERS[1]]);
    let nothing: &[&str] = &[];
    for (id, removed) in [(None, nothing), (Some("sha256:another"), &[REFERENCE])] {
        let engine = engine_with_registry(id.unwrap_or_default(), &LAYERS);
        engine.state.lock().unwrap().registry.retain(|_, _| id.is_some());
        let docker = connect(&engine, &scheduler).await;
        let why = why_of(&docker, run("linux/amd64", Some(base()))).await;
        assert!(why.contains(RUNS_NOTHING), "{why}");
        let state = engine.state.lock().unwrap();
        assert_eq!(state.pulls, [REFERENCE]);
        assert_eq!(state.removed, removed, "another image is not left behind");
    }
}

#[tokio::test]
async fn where_neither_has_the_base_both_are_named() {
    let scheduler = scheduler(&[&configuration(), LAYERS[1]]);
    let engine = engine_with_registry("sha256:base", &[]);
    engine.state.lock().unwrap().registry.clear();
    let docker = connect(&engine, &scheduler).await;
    let why = why_of(&docker, run("linux/amd64", Some(base()))).await;
    let why = why.replace(&engine.endpoint().to_string(), "ENGINE");
    insta::assert_snapshot!(why.replace(&scheduler.address.to_string(), "SCHEDULER"), @"cannot bring image IMAGE to the Docker Engine at ENGINE: cannot pull registry.example:5000/team/base@sha256:85fb63573b4b88ba3418e45a497d01bd2e806c0e23ffabeaa3322eb694014bb6: connection refused, and the scheduler does not have that part either; let this engine reach the registry, or submit the run without [image] registry: the scheduler at SCHEDULER does not have sha256:6cb444f128c4a1f6118818d63268222ac3f5a07cfcab2c1a948c2e5138bf00c9; submit the run again, which sends what is missing");
}
