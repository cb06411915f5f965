//! Pods between two leases: who may take one, and who has to go.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, duplex};
use tokio::sync::oneshot;

use super::*;
use crate::pod::Streams;
use crate::pure::outcome::Exit;
use crate::pure::pod;
use crate::samples;
use muletrain_proto::run::Isolation;

const PATIENCE: Duration = Duration::from_secs(20);

/// The other side of a pod: the process that it would be.
struct Process {
    input: DuplexStream,
    output: DuplexStream,
    exit: oneshot::Sender<Exit>,
}

fn process() -> (Pod, Process) {
    let (input, far_input) = duplex(1 << 20);
    let (output, far_output) = duplex(1 << 20);
    let (exit, exited) = oneshot::channel();
    let streams = Streams {
        input: Box::pin(input),
        output: Box::pin(output),
        errors: Box::pin(tokio::io::empty()),
    };
    let exited = async { exited.await.unwrap_or(Exit::Lost { reason: "dropped".to_owned() }) };
    let pod = Pod::new("pod".to_owned(), streams, Box::pin(exited));
    (pod, Process { input: far_input, output: far_output, exit })
}

fn hello() -> Hello {
    let mut brief = samples::brief(samples::image());
    brief.options.isolation = Isolation::Fork;
    pod::hello(&samples::lease(1), &brief, "/app".to_owned())
}

fn booted() -> Booted {
    Booted {
        python: "3.11".to_owned(),
        django: "5.2".to_owned(),
        runner: "Runner".to_owned(),
        seconds: muletrain_proto::seconds::Seconds::ZERO,
    }
}

fn run(name: &str) -> RunId {
    RunId::new(name).unwrap()
}

fn home(run_name: &str, lease: u32) -> LeaseKey {
    LeaseKey { run: run(run_name), ..samples::key(lease) }
}

fn parked(home: LeaseKey) -> (Parked, Process) {
    let (pod, process) = process();
    let (hello, booted) = (hello(), booted());
    let since = Instant::now();
    (Parked { pod, home, hello, booted, images: BTreeMap::new(), since }, process)
}

/// With one pod of `run` whose home is its lease 1.
fn parking() -> (Parking, Process) {
    let parking = Parking::default();
    let (pod, process) = parked(home("run", 1));
    parking.park(pod);
    (parking, process)
}

fn take(parking: &Parking) -> Option<Parked> {
    parking.take(&run("run"), &hello(), &BTreeMap::new())
}

fn homes(pods: &[Parked]) -> Vec<LeaseKey> {
    pods.iter().map(|parked| parked.home.clone()).collect()
}

#[tokio::test]
async fn the_next_lease_of_a_run_takes_its_pod_and_nobody_else_does_then() {
    let (parking, _process) = parking();
    let taken = take(&parking).expect("it is there");
    assert_eq!((taken.home, taken.booted), (home("run", 1), booted()));
    assert!(take(&parking).is_none());
}

#[tokio::test]
async fn what_a_pod_was_told_and_given_has_to_fit() {
    let (parking, _process) = parking();
    let images = BTreeMap::from([("db".to_owned(), "sha256:1".to_owned())]);
    assert!(parking.take(&run("other"), &hello(), &BTreeMap::new()).is_none());
    assert!(parking.take(&run("run"), &hello(), &images).is_none());
    let told_otherwise = Hello { output_limit: 1, ..hello() };
    assert!(parking.take(&run("run"), &told_otherwise, &BTreeMap::new()).is_none());
    let alone = Hello { isolation: Isolation::App, ..hello() };
    assert!(parking.take(&run("run"), &alone, &BTreeMap::new()).is_none());
    assert!(take(&parking).is_some(), "it is there all the same");
}

/// Takes the pod and parks it again until it is not given any more.
async fn until_refused(parking: &Parking) {
    let refused = async {
        while let Some(parked) = take(parking) {
            parking.park(parked);
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("nobody may have it");
}

#[tokio::test]
async fn a_pod_that_has_ended_is_given_to_nobody() {
    let (parking, process) = parking();
    drop(process.output);
    let ended = Exit::Process {
        status: Some(1),
        signal: None,
        out_of_memory: false,
        stderr: String::new(),
    };
    assert!(process.exit.send(ended).is_ok());
    until_refused(&parking).await;
    assert_eq!(homes(&parking.all()), [home("run", 1)], "it is still to be removed");
}

#[tokio::test]
async fn a_pod_that_spoke_unasked_is_never_given_again() {
    let (parking, mut process) = parking();
    process.output.write_all(b"{\"type\":\"idle\"}\n").await.unwrap();
    until_refused(&parking).await;
    assert!(take(&parking).is_none(), "nor to the one after that");
}

#[tokio::test]
async fn whoever_looks_for_pods_that_nobody_holds_spares_those_that_a_lease_has_taken() {
    let (parking, _process) = parking();
    let taken = take(&parking).unwrap();
    assert_eq!(parking.homes(), [home("run", 1)]);
    parking.park(taken);
    assert_eq!(parking.homes(), [home("run", 1)], "it has one home");
    parking.forget(&home("run", 2));
    assert_eq!(parking.homes(), [home("run", 1)]);
    parking.forget(&home("run", 1));
    assert_eq!(parking.homes(), []);
}

#[tokio::test]
async fn pods_of_a_run_that_is_over_go_and_those_of_others_stay() {
    let (parking, _process) = parking();
    let (other, _other_process) = parked(home("other", 2));
    parking.park(other);
    assert_eq!(homes(&parking.of_run(&run("run"))), [home("run", 1)]);
    assert_eq!(homes(&parking.all()), [home("other", 2)]);
    assert!(parking.all().is_empty());
}

#[tokio::test]
async fn a_pod_whose_lease_does_not_come_goes_after_a_minute() {
    let before = Instant::now();
    let (parking, _process) = parking();
    let now = Instant::now();
    assert!(parking.idle(now).is_empty());
    assert!(parking.idle(before).is_empty(), "clocks are read in any order");
    assert_eq!(parking.idle(now + IDLE_LIMIT + Duration::from_secs(1)).len(), 1);
    assert!(parking.idle(now + IDLE_LIMIT * 2).is_empty(), "once");
}

#[tokio::test]
async fn where_slots_are_few_the_longest_parked_pod_of_another_run_makes_room() {
    let parking = Parking::default();
    let pods = [("old", 1), ("older", 2), ("run", 3)].map(|(run, lease)| parked(home(run, lease)));
    let mut processes = vec![];
    for (pod, process) in pods {
        parking.park(pod);
        processes.push(process);
    }
    assert!(parking.crowding(&run("run"), 3).is_empty(), "there is room for all");
    assert_eq!(homes(&parking.crowding(&run("run"), 2)), [home("old", 1)]);
    assert_eq!(homes(&parking.crowding(&run("new"), 2)), [home("older", 2)], "it needs one too");
    assert!(parking.crowding(&run("run"), 1).is_empty(), "its own is what it wants");
    assert_eq!(homes(&parking.crowding(&run("new"), 0)), [home("run", 3)]);
}

#[tokio::test]
async fn a_pod_with_databases_on_servers_of_others_is_told_to_stop_and_waited_for() {
    let (mut parked, process) = parked(home("run", 1));
    parked.hello.db_token = Some("0123456789ab".to_owned());
    let Process { input, output, exit } = process;
    let told = async {
        let mut lines = BufReader::new(input);
        let mut line = vec![];
        while !line.ends_with(b"{\"type\":\"stop\"}\n") {
            assert_ne!(lines.read_until(b'\n', &mut line).await.unwrap(), 0, "its input ended");
        }
        drop(output);
        let stopped = Exit::Lost { reason: "it stopped".to_owned() };
        assert!(exit.send(stopped).is_ok(), "somebody waits for it");
    };
    tokio::time::timeout(PATIENCE, async { tokio::join!(parked.end(), told) }).await.unwrap();
}

#[tokio::test]
async fn any_other_pod_ends_with_its_input() {
    let (parked, mut process) = parked(home("run", 1));
    parked.end().await;
    let mut said = vec![];
    process.input.read_to_end(&mut said).await.unwrap();
    assert!(!said.ends_with(b"{\"type\":\"stop\"}\n"));
}
