//! The command `watch`, from its arguments to its exit code.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use muletrain_proto::client::Address;
use muletrain_proto::outcome::Ending;
use muletrain_proto::run::Stop;
use muletrain_reporter::follow::{News, follow};
use muletrain_reporter::render::junit::junit;
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{Notify, mpsc};

use crate::journal::{Journal, classes, passed};
use crate::site;
use crate::stage::{Answer, Stage};

/// The command on a stage's scheduler, its files beside the socket.
fn watch_on(stage: &Stage) -> Child {
    watch(&stage.address(), &stage.path("junit.xml"), &stage.path("runs"))
}

fn written(stage: &Stage) -> String {
    std::fs::read_to_string(stage.path("junit.xml")).unwrap()
}

fn saved(stage: &Stage) -> PathBuf {
    stage.path("runs/20260101-120000-k3f9/journal.jsonl")
}

fn watch(address: &str, junit: &Path, save: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_muletrain-reporter"))
        .args(["watch", "20260101-120000-k3f9", "--scheduler", address])
        .arg("--junit")
        .arg(junit)
        .arg("--save")
        .arg(save)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn interrupt(child: &Child) {
    let id = i32::try_from(child.id().unwrap()).unwrap();
    kill_process(Pid::from_raw(id).unwrap(), Signal::INT).unwrap();
}

/// Reads a child's standard error up to a line that holds a text.
async fn until(errors: &mut BufReader<tokio::process::ChildStderr>, wanted: &str) {
    let mut line = String::new();
    while !line.contains(wanted) {
        line.clear();
        assert_ne!(errors.read_line(&mut line).await.unwrap(), 0, "it never said {wanted:?}");
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

#[tokio::test]
async fn a_watched_run_is_reported_and_kept() {
    let journal = site::journal();
    let stage = Stage::with(&journal.text(), [Answer::Whole]);
    let output = watch_on(&stage).wait_with_output().await.unwrap();
    assert_eq!(status(&output), Some(3));
    assert!(text(&output.stdout).contains("FAILED shop.tests.test_cart.CartTest.test_total"));
    assert!(text(&output.stderr).contains("CRASHED shop.tests.test_pay.PayTest.test_cash"));
    assert_eq!(written(&stage), junit(&[journal.summary()]));
    assert_eq!(std::fs::read_to_string(saved(&stage)).unwrap(), journal.text());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&saved(&stage)), 0o600);
    assert_eq!(mode(saved(&stage).parent().unwrap()), 0o700);
}

#[tokio::test]
async fn the_stored_run_gives_the_same_bytes() {
    let stage = Stage::with(&site::journal().text(), [Answer::Whole]);
    watch_on(&stage).wait_with_output().await.unwrap();
    let again = stage.path("again.xml");
    let report = Command::new(env!("CARGO_BIN_EXE_muletrain-reporter"))
        .arg("report")
        .arg(stage.path("runs/20260101-120000-k3f9"))
        .arg("--junit")
        .arg(&again)
        .output()
        .await
        .unwrap();
    assert_eq!(status(&report), Some(3));
    assert_eq!(std::fs::read_to_string(again).unwrap(), written(&stage));
}

#[tokio::test]
async fn a_broken_connection_loses_nothing() {
    let journal = site::journal();
    let stage = Stage::with(&journal.text(), [Answer::Break(20), Answer::Break(20), Answer::Whole]);
    let output = watch_on(&stage).wait_with_output().await.unwrap();
    assert_eq!(status(&output), Some(3));
    assert_eq!(written(&stage), junit(&[journal.summary()]));
    assert_eq!(std::fs::read_to_string(saved(&stage)).unwrap(), journal.text());
    let asked: Vec<u64> = stage.asked.lock().unwrap().iter().map(|one| one.from).collect();
    assert_eq!(asked, [0, 20, 20]);
}

/// A run that a first Ctrl-C stops: the reporter waits for the scheduler to close it.
#[tokio::test]
async fn the_first_interrupt_waits_for_the_run_to_be_closed() {
    let shop = || classes("shop", &[("shop.tests.T", &["test_add", "test_sum"])]);
    let mut journal = Journal::opened();
    journal.inventory(shop()).lease(1, "shop", "laptop").up(1, shop());
    journal.run(1, passed("shop.tests.T.test_add", 0.1));
    let shown = journal.entries.len() + 1;
    journal.stop(Stop::Interrupted).end(1, Ending::Revoked).close();
    let go_on = Arc::new(Notify::new());
    let stage = Stage::with(&journal.text(), [Answer::Hold(shown, go_on.clone())]);
    let mut child = watch_on(&stage);
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    until(&mut errors, "shop: started").await;
    interrupt(&child);
    until(&mut errors, "waiting for the run to be closed").await;
    go_on.notify_one();
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(status(&output), Some(130));
    assert!(text(&output.stdout).contains("1 passed, 1 lost"));
    assert_eq!(written(&stage), junit(&[journal.summary()]));
}

#[tokio::test]
async fn the_second_interrupt_leaves_at_once() {
    let go_on = Arc::new(Notify::new());
    let stage = Stage::with(&site::journal().text(), [Answer::Hold(10, go_on)]);
    let mut child = watch_on(&stage);
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    until(&mut errors, "shop: started").await;
    interrupt(&child);
    until(&mut errors, "waiting for the run to be closed").await;
    interrupt(&child);
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(status(&output), Some(130));
    assert!(output.stdout.is_empty());
}

#[tokio::test]
async fn an_unknown_run_is_a_usage_error() {
    let stage = Stage::with("", []);
    let output = watch_on(&stage).wait_with_output().await.unwrap();
    assert_eq!(status(&output), Some(2));
    assert!(text(&output.stderr).contains("there is no such run"));
}

#[tokio::test]
async fn nobody_there_is_told_with_the_address() {
    let directory = tempfile::tempdir().unwrap();
    let socket = format!("unix:{}/none", directory.path().display());
    let mut child = watch(&socket, &directory.path().join("junit.xml"), directory.path());
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(4));
    assert!(errors.contains(&format!("cannot reach a scheduler at {socket}")), "{errors}");
}

#[tokio::test]
async fn a_scheduler_gone_for_good_is_given_up() {
    let stage = Stage::with(&site::journal().text(), [Answer::Break(5)]);
    let address: Address = stage.address().parse().unwrap();
    let (sender, mut news) = mpsc::channel(1);
    tokio::spawn(follow(address, None, Duration::from_secs(1), sender));
    let mut lines = 0;
    while !matches!(news.recv().await, Some(News::Waiting(_))) {
        lines += 1;
    }
    assert_eq!(lines, 5);
    stage.server.abort();
    std::fs::remove_file(stage.path("socket")).unwrap();
    let mut last = news.recv().await;
    while matches!(last, Some(News::Waiting(_))) {
        last = news.recv().await;
    }
    assert!(matches!(last, Some(News::Lost(_))));
}

#[tokio::test]
async fn a_kept_journal_is_never_written_over() {
    let stage = Stage::with(&site::journal().text(), [Answer::Whole]);
    std::fs::create_dir_all(saved(&stage).parent().unwrap()).unwrap();
    std::fs::write(saved(&stage), "mine").unwrap();
    let output = watch_on(&stage).wait_with_output().await.unwrap();
    assert_eq!(status(&output), Some(3));
    assert!(text(&output.stderr).contains("failed to keep the journal"));
    assert_eq!(std::fs::read_to_string(saved(&stage)).unwrap(), "mine");
}
