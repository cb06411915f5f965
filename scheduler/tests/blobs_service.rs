//! Parts of images over the wire: sent, got, gone on with, and refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use muletrain_proto::blob::{Digest, Request, Upload};
use muletrain_proto::client::Address;
use muletrain_proto::client::blobs::{Blobs, Error};
use muletrain_scheduler::blobs::{Service, Store};
use muletrain_scheduler::engine::Engine;
use muletrain_scheduler::history::History;
use muletrain_scheduler::listen::Listener;
use muletrain_scheduler::service::router;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;

/// Bytes that take several pieces, each unlike the others.
const CONTENT: usize = 1_000_003;

/// How long what happens at once may take.
const LIMIT: Duration = Duration::from_secs(20);

fn content() -> Vec<u8> {
    (0..CONTENT).map(|number| u8::try_from(number % 251).unwrap()).collect()
}

fn upload(content: &[u8], offset: u64) -> Upload {
    Upload { digest: Digest::of(content), size: content.len() as u64, offset }
}

/// A scheduler on a socket, as long as this is kept.
struct Scheduler {
    folder: TempDir,
    address: Address,
}

impl Scheduler {
    fn start(limit: u64) -> Self {
        Self::start_with(limit, |service| service)
    }

    fn start_with(limit: u64, adjust: impl FnOnce(Service) -> Service) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let (engine, handle) =
            Engine::new(folder.path().join("runs"), History::in_memory().unwrap());
        tokio::spawn(engine.run());
        let store = Store::open(&folder.path().join("blobs"), limit).unwrap();
        let router = router(handle.clone(), adjust(Service::new(store, handle)), None);
        let listener = Listener::unix(&socket).unwrap();
        tokio::spawn(listener.serve(router, std::future::pending()));
        Self { folder, address: Address::Unix(socket) }
    }

    async fn blobs(&self) -> Blobs {
        Blobs::connect(&self.address).await.unwrap()
    }
}

async fn get(blobs: &mut Blobs, digest: Digest, offset: u64) -> (u64, Vec<u8>) {
    let mut download = blobs.get(Request { digest, offset }).await.unwrap();
    let mut bytes = vec![];
    while let Some(piece) = download.piece().await.unwrap() {
        bytes.extend(piece);
    }
    (download.size, bytes)
}

async fn put(blobs: &mut Blobs, upload: Upload, bytes: &[u8]) -> Result<(), Error> {
    let pieces: Vec<Vec<u8>> = bytes.chunks(100_000).map(<[u8]>::to_vec).collect();
    blobs.put(upload, tokio_stream::iter(pieces)).await
}

#[tokio::test]
async fn what_one_sends_another_gets_from_wherever_they_want() {
    let scheduler = Scheduler::start(1 << 30);
    let (content, mut blobs) = (content(), scheduler.blobs().await);
    let digest = Digest::of(&content);
    assert_eq!(blobs.missing(vec![digest]).await.unwrap(), [digest]);
    let absent = blobs.get(Request { digest, offset: 0 }).await.unwrap_err();
    assert!(matches!(absent, Error::Absent { .. }), "{absent}");

    put(&mut blobs, upload(&content, 0), &content).await.unwrap();
    assert_eq!(blobs.missing(vec![digest]).await.unwrap(), []);
    let mut other = scheduler.blobs().await;
    assert_eq!(get(&mut other, digest, 0).await, (CONTENT as u64, content.clone()));
    assert_eq!(get(&mut other, digest, 999_000).await.1, content[999_000..]);
    assert!(get(&mut other, digest, CONTENT as u64).await.1.is_empty());
}

#[tokio::test]
async fn an_upload_goes_on_after_its_connection_broke() {
    let scheduler = Scheduler::start(1 << 30);
    let content = content();
    let digest = Digest::of(&content);
    let mut blobs = scheduler.blobs().await;
    let early = put(&mut blobs, upload(&content, 0), &content[..500_000]).await.unwrap_err();
    assert!(early.is_passing(), "{early}");
    let had = blobs.had(digest).await.unwrap();
    assert_eq!(had, 500_000);
    put(&mut blobs, upload(&content, had), &content[500_000..]).await.unwrap();
    assert_eq!(get(&mut blobs, digest, 0).await.1, content);
}

#[tokio::test]
async fn who_takes_nothing_keeps_others_waiting_for_a_while_only() {
    let patient = |service: Service| service.with_patience(Duration::from_millis(200));
    let scheduler = Scheduler::start_with(1 << 30, patient);
    // More than the transport sends ahead of being read.
    let content = content().repeat(6);
    let digest = Digest::of(&content);
    let mut blobs = scheduler.blobs().await;
    put(&mut blobs, upload(&content, 0), &content).await.unwrap();
    let mut idle = Vec::new();
    // Each by a connection of its own, so that none waits for what another does not read.
    for _ in 0..80 {
        let mut blobs = scheduler.blobs().await;
        let getting = async { blobs.get(Request { digest, offset: 0 }).await.unwrap() };
        idle.push(tokio::time::timeout(LIMIT, getting).await.expect("its turn comes"));
    }
    let got = tokio::time::timeout(LIMIT, get(&mut blobs, digest, 0)).await.expect("its turn");
    assert_eq!(got.1, content);
    let mut first = idle.swap_remove(0);
    let error = loop {
        match first.piece().await {
            Ok(piece) => assert!(piece.is_some(), "it ended as if it were right"),
            Err(error) => break error,
        }
    };
    assert!(error.is_passing(), "{error}");
}

#[tokio::test]
async fn an_upload_of_nothing_leaves_nothing() {
    let scheduler = Scheduler::start(1 << 30);
    let (content, mut blobs) = (content(), scheduler.blobs().await);
    let early = put(&mut blobs, upload(&content, 0), &[]).await.unwrap_err();
    assert!(early.is_passing(), "{early}");
    let unfinished = scheduler.folder.path().join("blobs/unfinished");
    assert_eq!(std::fs::read_dir(unfinished).unwrap().count(), 0);
    put(&mut blobs, upload(&[], 0), &[]).await.unwrap();
    assert_eq!(get(&mut blobs, Digest::of(&[]), 0).await, (0, vec![]));
}

#[tokio::test]
async fn of_those_who_send_the_same_one_does_and_the_others_wait() {
    let scheduler = Scheduler::start(1 << 30);
    // More than the transport sends ahead of being read.
    let content = content().repeat(6);
    let digest = Digest::of(&content);
    let (sender, pieces) = mpsc::unbounded_channel();
    let mut first = scheduler.blobs().await;
    let sending = upload(&content, 0);
    let first =
        tokio::spawn(async move { first.put(sending, UnboundedReceiverStream::new(pieces)).await });
    sender.send(content[..1000].to_vec()).unwrap();
    let mut blobs = scheduler.blobs().await;
    let begun = async { while blobs.had(digest).await.unwrap() < 1000 {} };
    tokio::time::timeout(LIMIT, begun).await.expect("the first upload has begun");

    let asked = Arc::new(AtomicUsize::new(0));
    let others = (0..3).map(|_| {
        let (mut blobs, content, asked) = (blobs.clone(), content.clone(), asked.clone());
        tokio::spawn(async move {
            let pieces: Vec<Vec<u8>> = content.chunks(1000).map(<[u8]>::to_vec).collect();
            let counted = tokio_stream::iter(pieces).map(move |piece| {
                asked.fetch_add(piece.len(), Ordering::Relaxed);
                piece
            });
            blobs.put(upload(&content, 0), counted).await
        })
    });
    let others: Vec<_> = others.collect();
    let waiting = async {
        while asked.load(Ordering::Relaxed) < 3 * 1000 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.expect("the others have begun");
    for piece in content[1000..].chunks(100_000) {
        sender.send(piece.to_vec()).unwrap();
    }
    drop(sender);
    first.await.unwrap().unwrap();
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(get(&mut blobs, digest, 0).await.1, content);
    let asked = asked.load(Ordering::Relaxed);
    assert!(asked < 2 * content.len(), "what nobody waits for is not sent: {asked}");
}

#[tokio::test]
async fn what_is_refused_is_refused_with_the_way_out() {
    let scheduler = Scheduler::start(2_000_000);
    let content = content();
    let mut blobs = scheduler.blobs().await;
    let mut say = async |upload, bytes: &[u8]| {
        let error = put(&mut blobs, upload, bytes).await.unwrap_err();
        assert!(!error.is_passing(), "{error}");
        error.to_string().replace(&scheduler.folder.path().display().to_string(), "")
    };
    let mut wrong = content.clone();
    wrong[7] ^= 1;
    insta::assert_snapshot!(say(upload(&content, 0), &wrong).await, @"the scheduler at unix:/s refused: what was sent as sha256:a7c4bea888022868c93104055fd56077cc81fe9eb624820fe2f717f313188782 is sha256:4dff9bb21c44a7a1e598363f03483a1209daf186125c492e80cc938947c9928e and thrown away; send it again");
    insta::assert_snapshot!(say(Upload { size: 5, ..upload(&content, 0) }, &content).await, @"the scheduler at unix:/s refused: sha256:a7c4bea888022868c93104055fd56077cc81fe9eb624820fe2f717f313188782 is said to have 5 bytes, and more were sent");
    insta::assert_snapshot!(say(Upload { size: 2_000_001, ..upload(&content, 0) }, &content).await, @"the scheduler at unix:/s refused: there is no room for 2000001 bytes: 2000000 may be kept in all, and what is there is needed or was used minutes ago; give `muletrain-scheduler serve` more with --keep-blobs");
    let missing = blobs.missing(vec![Digest::of(&content); 1025]).await.unwrap_err();
    assert!(missing.to_string().contains("1025 blobs are named"), "{missing}");
    put(&mut blobs, upload(&content, 0), &content).await.unwrap();
}

#[tokio::test]
async fn what_a_disk_changed_is_given_to_nobody_and_can_be_sent_again() {
    let scheduler = Scheduler::start(1 << 30);
    let content = content();
    let digest = Digest::of(&content);
    let mut blobs = scheduler.blobs().await;
    put(&mut blobs, upload(&content, 0), &content).await.unwrap();
    let name = digest.hexadecimal();
    let path = scheduler.folder.path().join("blobs/sha256").join(&name[..2]).join(&name);
    std::fs::write(path, vec![0; CONTENT]).unwrap();

    let mut download = blobs.get(Request { digest, offset: 0 }).await.unwrap();
    let error = loop {
        match download.piece().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("it ended as if it were right"),
            Err(error) => break error,
        }
    };
    assert!(!error.is_passing(), "{error}");
    assert_eq!(blobs.missing(vec![digest]).await.unwrap(), [digest]);
    put(&mut blobs, upload(&content, 0), &content).await.unwrap();
    assert_eq!(get(&mut blobs, digest, 0).await.1, content);
}
