//! The command `watch`, from its arguments to its exit code.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

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

/// Waits until so many lines of a run are kept.
async fn kept(stage: &Stage, lines: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let known = || std::fs::read_to_string(saved(stage)).unwrap_or_default().lines().count();
    while known() < lines {
        assert!(Instant::now() < deadline, "{} of {lines} lines", known());
        tokio::task::yield_now().await;
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
    kept(&stage, shown).await;
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
    kept(&stage, 10).await;
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

/// A journal that is written while it is watched: locked, as its writer has it.
fn written_to(folder: &Path, text: &str) -> std::fs::File {
    let directory = folder.join("20260101-120000-k3f9");
    std::fs::create_dir_all(&directory).unwrap();
    let mut options = std::fs::OpenOptions::new();
    let path = directory.join("journal.jsonl");
    let mut file = options.append(true).create(true).open(path).unwrap();
    file.lock().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn watch_here(folder: &Path, run: Option<&str>) -> Child {
    Command::new(env!("CARGO_BIN_EXE_muletrain-reporter"))
        .arg("watch")
        .args(run)
        .arg("--results")
        .arg(folder)
        .env_remove("MULETRAIN_SCHEDULER")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_run_on_this_machine_is_followed_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let text = site::journal().text();
    let middle = text.len() / 2;
    let mut file = written_to(folder.path(), &text[..middle]);
    let mut child = watch_here(folder.path(), None);
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    until(&mut errors, "CRASHED").await;
    file.write_all(&text.as_bytes()[middle..]).unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(status(&output), Some(3));
    let report = self::text(&output.stdout);
    assert!(report.contains("FAILED shop.tests.test_cart.CartTest.test_total"), "{report}");
    assert!(report.contains("Stored in "), "{report}");
}

#[tokio::test]
async fn a_bad_line_of_a_run_on_this_machine_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let text = site::journal().text();
    let (head, rest) = text.split_once('\n').unwrap();
    let bad = "not json\n{\"number\":3,\"at\":0,\"record\":\"unheard_of\"}\n";
    drop(written_to(folder.path(), &format!("{head}\n{bad}{rest}")));
    let output = watch_here(folder.path(), None).wait_with_output().await.unwrap();
    assert_eq!(status(&output), Some(3));
    let report = self::text(&output.stdout);
    assert!(report.contains("FAILED shop.tests.test_cart.CartTest.test_total"), "{report}");
    assert!(report.contains("Incomplete: 2 lines cannot be read; line 2: "), "{report}");
    assert!(self::text(&output.stderr).contains("CRASHED"));
}

#[tokio::test]
async fn who_looks_on_and_leaves_leaves_the_run_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = site::journal().text();
    let file = written_to(folder.path(), &text[..text.len() / 2]);
    let mut child = watch_here(folder.path(), Some("last"));
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    until(&mut errors, "CRASHED").await;
    interrupt(&child);
    until(&mut errors, "left; the run goes on").await;
    let output = child.wait_with_output().await.unwrap();
    assert_eq!((status(&output), output.stdout.len()), (Some(130), 0));
    drop(file);
}

#[tokio::test]
async fn a_run_whose_writer_is_gone_is_reported_as_far_as_it_got() {
    let folder = tempfile::tempdir().unwrap();
    let text = site::journal().text();
    drop(written_to(folder.path(), &text[..text.len() / 2]));
    let output = watch_here(folder.path(), Some("20260101")).wait_with_output().await.unwrap();
    assert_eq!(status(&output), Some(3));
    let errors = self::text(&output.stderr);
    assert!(errors.contains("any more, and the run was not closed"), "{errors}");
    assert!(self::text(&output.stdout).contains("Incomplete: "));
}

#[tokio::test]
async fn a_run_that_is_over_is_reported_packed_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let text = site::journal().text();
    drop(written_to(folder.path(), &text));
    let plain = watch_here(folder.path(), None).wait_with_output().await.unwrap();
    let directory = folder.path().join("20260101-120000-k3f9");
    let packed = std::fs::File::create(directory.join("journal.jsonl.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap();
    std::fs::remove_file(directory.join("journal.jsonl")).unwrap();
    let again = watch_here(folder.path(), directory.to_str()).wait_with_output().await.unwrap();
    assert_eq!((status(&plain), status(&again)), (Some(3), Some(3)));
    assert_eq!(self::text(&plain.stdout), self::text(&again.stdout));
}

#[tokio::test]
async fn a_run_that_is_not_there_is_a_usage_error_that_names_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let told = |run: Option<&'static str>| {
        let child = watch_here(folder.path(), run);
        async move {
            let output = child.wait_with_output().await.unwrap();
            (status(&output), String::from_utf8(output.stderr).unwrap())
        }
    };
    let (code, errors) = told(None).await;
    assert!(code == Some(2) && errors.contains("no run is stored in"), "{errors}");
    drop(written_to(folder.path(), &site::journal().text()));
    let (code, errors) = told(Some("2025")).await;
    assert!(code == Some(2) && errors.contains("the newest is 20260101-120000-k3f9"), "{errors}");
}

#[tokio::test]
async fn on_github_progress_is_a_group_in_which_nothing_is_a_command() {
    let stage = Stage::with(&site::journal().text(), [Answer::Whole]);
    let output = Command::new(env!("CARGO_BIN_EXE_muletrain-reporter"))
        .args(["watch", "--scheduler", &stage.address()])
        .env("GITHUB_ACTIONS", "true")
        .output()
        .await
        .unwrap();
    let lines: Vec<&str> = text(&output.stderr).lines().collect();
    let token = lines[1].strip_prefix("::stop-commands::").unwrap();
    assert_eq!((lines[0], lines[lines.len() - 1]), ("::group::Progress", "::endgroup::"));
    assert_eq!(lines[lines.len() - 2], format!("::{token}::"));
    assert!(lines.len() > 10 && token.len() > 30, "{lines:?}");
}
