//! Databases that agents offer one another: found by their key, and set up by one at a time.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::time::Duration;

use muletrain_proto::blob::{Digest, Upload};
use muletrain_proto::client::Address;
use muletrain_proto::client::blobs::Blobs;
use muletrain_proto::client::databases::{Databases, Sought};
use muletrain_proto::id::SnapshotId;
use muletrain_proto::offer::{LIMIT, Offer, Seek};
use muletrain_scheduler::blobs::{Service, Store};
use muletrain_scheduler::engine::Engine;
use muletrain_scheduler::history::History;
use muletrain_scheduler::listen::Listener;
use muletrain_scheduler::service::router;
use tempfile::TempDir;
use tokio::time::timeout;

/// How long what happens at once may take.
const SOON: Duration = Duration::from_secs(20);

/// How long it is looked whether nothing happens.
const A_WHILE: Duration = Duration::from_millis(200);

/// A scheduler on a socket, as long as this is kept.
struct Scheduler {
    address: Address,
    folder: TempDir,
}

impl Scheduler {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = serve(&folder, "s");
        Self { address, folder }
    }

    /// The same, as its next life finds it.
    fn start_again(self) -> Self {
        Self { address: serve(&self.folder, "again"), ..self }
    }

    async fn offer(&self, key: &str, bytes: &[u8]) -> Digest {
        let entry = Digest::of(bytes);
        let upload = Upload { digest: entry, size: bytes.len() as u64, offset: 0 };
        let mut blobs = Blobs::connect(&self.address).await.unwrap();
        blobs.put(upload, tokio_stream::once(bytes.to_vec())).await.unwrap();
        let offer = Offer { key: Digest::of(key.as_bytes()), entry };
        Databases::connect(&self.address).await.unwrap().offer(offer).await.unwrap();
        entry
    }

    async fn seek(&self, key: &str, snapshot: &str, known: &[Digest]) -> Sought {
        let mut databases = Databases::connect(&self.address).await.unwrap();
        databases.seek(seek(key, snapshot, known)).await.unwrap().unwrap()
    }
}

fn serve(folder: &TempDir, name: &str) -> Address {
    let socket = folder.path().join(name);
    let (engine, handle) = Engine::new(folder.path().join("runs"), History::in_memory().unwrap());
    tokio::spawn(engine.run());
    let store = Store::open(&folder.path().join("blobs"), 1 << 20).unwrap();
    let blobs = Service::new(store, handle.clone());
    let databases = blobs.databases();
    let router = router(handle, blobs, Some(databases));
    let listener = Listener::unix(&socket).unwrap();
    tokio::spawn(listener.serve(router, std::future::pending()));
    Address::Unix(socket)
}

fn seek(key: &str, snapshot: &str, known: &[Digest]) -> Seek {
    let snapshot = SnapshotId::new(snapshot).unwrap();
    Seek { key: Digest::of(key.as_bytes()), snapshot, known: known.to_vec() }
}

#[tokio::test]
async fn what_is_offered_is_found_by_its_key_and_outlives_the_scheduler() {
    let scheduler = Scheduler::start();
    let one = scheduler.offer("key", b"one").await;
    let other = scheduler.offer("other key", b"other").await;
    assert_eq!(scheduler.seek("key", "a", &[]).await.entries, [one]);
    assert_eq!(scheduler.seek("other key", "a", &[]).await.entries, [other]);
    assert!(scheduler.seek("key", "a", &[one]).await.entries.is_empty());
    let scheduler = scheduler.start_again();
    assert_eq!(scheduler.seek("key", "b", &[]).await.entries, [one]);
}

#[tokio::test]
async fn of_many_offers_the_last_are_kept_and_none_without_its_blob() {
    let scheduler = Scheduler::start();
    let mut offered = vec![];
    for number in 0..=u8::try_from(LIMIT).unwrap() {
        offered.push(scheduler.offer("key", &[number]).await);
    }
    let found = scheduler.seek("key", "a", &[]).await.entries;
    assert_eq!(found.len(), LIMIT);
    assert!(found.iter().all(|entry| offered.contains(entry)));

    std::fs::remove_dir_all(scheduler.folder.path().join("blobs/sha256")).unwrap();
    assert!(scheduler.seek("key", "a", &[]).await.entries.is_empty());
    let offer = Offer { key: Digest::of(b"key"), entry: offered[0] };
    let mut databases = Databases::connect(&scheduler.address).await.unwrap();
    let refused = databases.offer(offer).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("there is no {} here", offered[0])), "{refused}");
}

#[tokio::test]
async fn one_at_a_time_sets_databases_up_and_the_others_get_what_it_made() {
    let scheduler = Scheduler::start();
    let turn = scheduler.seek("key", "snapshot", &[]).await;
    assert!(turn.entries.is_empty());
    let mut waiting = std::pin::pin!(scheduler.seek("key", "snapshot", &[]));
    assert!(timeout(A_WHILE, &mut waiting).await.is_err(), "somebody is at it");
    let elsewhere = timeout(SOON, scheduler.seek("key", "another", &[])).await.unwrap();
    assert!(elsewhere.entries.is_empty(), "what is made for another tree need not fit");

    let made = scheduler.offer("key", b"made").await;
    drop(turn);
    let found = timeout(SOON, waiting).await.unwrap();
    assert_eq!(found.entries, [made]);
}

#[tokio::test]
async fn the_turn_passes_on_when_its_holder_goes_without_an_offer() {
    let scheduler = Scheduler::start();
    let turn = scheduler.seek("key", "snapshot", &[]).await;
    let mut waiting = std::pin::pin!(scheduler.seek("key", "snapshot", &[]));
    assert!(timeout(A_WHILE, &mut waiting).await.is_err());
    drop(turn);
    assert!(timeout(SOON, waiting).await.unwrap().entries.is_empty());
}
