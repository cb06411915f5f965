//! Parts of images at the scheduler: what is kept is what it is called, whatever happens to
//! uploads; what is needed stays; whoever asks over the wire gets it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use muletrain_proto::blob::{Digest, Request, Upload};
use muletrain_scheduler::blobs::{Error, Receiving, Store};
use proptest::prelude::*;

/// Room for everything that these tests keep.
const ROOMY: u64 = 1 << 20;

fn store(folder: &Path, limit: u64) -> Arc<Store> {
    Arc::new(Store::open(folder, limit).unwrap())
}

fn upload(content: &[u8], offset: u64) -> Upload {
    Upload { digest: Digest::of(content), size: content.len() as u64, offset }
}

fn begin(
    store: &Arc<Store>,
    upload: Upload,
    needed: &BTreeSet<Digest>,
) -> Result<Option<Receiving>, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    store.begin(runtime.block_on(store.turn(upload.digest)), upload, needed)
}

/// Sends a blob as a whole.
fn put(store: &Arc<Store>, content: &[u8]) -> Result<(), Error> {
    let Some(mut receiving) = begin(store, upload(content, 0), &BTreeSet::new())? else {
        return Ok(());
    };
    receiving.write(content)?;
    receiving.finish()
}

fn content(store: &Store, digest: Digest) -> Option<Vec<u8>> {
    let (size, mut file) = store.read(Request { digest, offset: 0 }).unwrap()?;
    let mut bytes = vec![];
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, size);
    Some(bytes)
}

#[test]
fn what_was_sent_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    put(&store(folder.path(), ROOMY), b"layer").unwrap();
    let store = store(folder.path(), ROOMY);
    let (there, absent) = (Digest::of(b"layer"), Digest::of(b"other"));
    assert_eq!(store.missing(&[there, absent]), [absent]);
    assert_eq!(content(&store, there).as_deref(), Some(&b"layer"[..]));
}

#[test]
fn an_upload_that_broke_off_goes_on_where_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let digest = Digest::of(b"layer");
    let mut first = begin(&store(folder.path(), ROOMY), upload(b"layer", 0), &BTreeSet::new())
        .unwrap()
        .unwrap();
    first.write(b"lay").unwrap();
    drop(first);

    let store = store(folder.path(), ROOMY);
    assert_eq!((store.had(&digest), store.missing(&[digest])), (3, vec![digest]));
    let too_far = begin(&store, upload(b"layer", 4), &BTreeSet::new()).unwrap_err();
    assert!(matches!(too_far, Error::Offset { had: 3, .. }), "{too_far}");
    let mut second = begin(&store, upload(b"layer", 3), &BTreeSet::new()).unwrap().unwrap();
    second.write(b"er").unwrap();
    second.finish().unwrap();
    assert_eq!(content(&store, digest).as_deref(), Some(&b"layer"[..]));
}

#[test]
fn what_is_not_what_it_is_called_is_thrown_away() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), ROOMY);
    let digest = Digest::of(b"layer");
    let begin = || begin(&store, upload(b"layer", 0), &BTreeSet::new()).unwrap().unwrap();

    let mut other = begin();
    other.write(b"lawyr").unwrap();
    assert!(matches!(other.finish(), Err(Error::Other { .. })));
    let mut long = begin();
    assert!(matches!(long.write(b"layers"), Err(Error::Long { size: 5, .. })));
    drop(long);
    assert_eq!((store.had(&digest), content(&store, digest)), (0, None));
    put(&store, b"layer").unwrap();
}

#[test]
fn a_file_that_somebody_removed_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), ROOMY);
    put(&store, b"layer").unwrap();
    let name = Digest::of(b"layer").hexadecimal();
    fs::remove_file(folder.path().join("sha256").join(&name[..2]).join(&name)).unwrap();
    assert_eq!(store.missing(&[Digest::of(b"layer")]), [Digest::of(b"layer")]);
    put(&store, b"layer").unwrap();
    assert_eq!(store.missing(&[Digest::of(b"layer")]), []);
}

/// A store with these blobs, used so many hours ago.
fn aged(folder: &Path, limit: u64, blobs: &[(&[u8], u64)]) -> Arc<Store> {
    let first = store(folder, ROOMY);
    for (content, hours) in blobs {
        put(&first, content).unwrap();
        let name = Digest::of(content).hexadecimal();
        let path = folder.join("sha256").join(&name[..2]).join(&name);
        let used = SystemTime::now() - Duration::from_secs(hours * 3600);
        File::options().write(true).open(path).unwrap().set_modified(used).unwrap();
    }
    store(folder, limit)
}

#[test]
fn the_longest_unused_go_and_what_is_needed_or_fresh_stays() {
    let folder = tempfile::tempdir().unwrap();
    let blobs: [(&[u8], u64); 4] = [(b"aaaa", 4), (b"bbbb", 3), (b"cccc", 2), (b"dddd", 0)];
    let store = aged(folder.path(), 16, &blobs);
    let [a, b, c, d] = blobs.map(|(content, _)| Digest::of(content));
    let needed = BTreeSet::from([a]);

    let held = begin(&store, upload(b"eeee", 0), &needed).unwrap().unwrap();
    assert_eq!(store.missing(&[a, b, d]), [b]);
    let full = begin(&store, upload(b"ffffffff", 0), &needed).unwrap_err();
    assert!(matches!(full, Error::Full { size: 8, limit: 16 }), "room is held for what arrives");
    assert_eq!(store.missing(&[c]), [], "nothing goes for what has no room all the same");
    drop(held);
    assert!(matches!(put(&store, &[0; 17]), Err(Error::Full { .. })));
}

#[test]
fn the_parts_of_an_image_are_known_from_its_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), ROOMY);
    let layers = [Digest::of(b"1"), Digest::of(b"2")];
    let configuration = format!(
        r#"{{"os":"linux","architecture":"amd64","rootfs":{{"diff_ids":["{}","{}"]}}}}"#,
        layers[0], layers[1]
    );
    let image = Digest::of(configuration.as_bytes());
    assert_eq!(store.parts(image), BTreeSet::from([image]));
    put(&store, configuration.as_bytes()).unwrap();
    assert_eq!(store.parts(image), BTreeSet::from([image, layers[0], layers[1]]));
}

/// Something that happens to a store.
#[derive(Debug, Clone)]
enum Step {
    /// Somebody begins to send a blob, from this share of what is there.
    Begin(usize, u8),
    /// They send so many bytes, wrong ones where they are not honest.
    Send(usize, usize, bool),
    /// They say that it is all.
    Finish(usize),
    /// They go away.
    Drop(usize),
    /// The scheduler starts again.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let blob = 0..3_usize;
    prop_oneof![
        (blob.clone(), 0..3_u8).prop_map(|(blob, share)| Step::Begin(blob, share)),
        (blob.clone(), 0..9_usize, prop::bool::weighted(0.9))
            .prop_map(|(blob, count, honest)| Step::Send(blob, count, honest)),
        blob.clone().prop_map(Step::Finish),
        blob.prop_map(Step::Drop),
        Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_happens_a_blob_is_absent_or_what_it_is_called(
        steps in prop::collection::vec(step(), 1..60),
        limit in prop_oneof![Just(ROOMY), 10..30_u64],
    ) {
        const BLOBS: [&[u8]; 3] = [b"one", b"two and more", b"three and still more of it"];
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path(), limit);
        let mut uploads: [Option<(Receiving, usize)>; 3] = [None, None, None];
        for step in steps {
            match step {
                Step::Begin(blob, share) => if uploads[blob].is_none() {
                    let had = store.had(&Digest::of(BLOBS[blob]));
                    let start = upload(BLOBS[blob], had * u64::from(share) / 2);
                    if let Ok(Some(receiving)) = begin(&store, start, &BTreeSet::new()) {
                        let sent = usize::try_from(start.offset).unwrap();
                        uploads[blob] = Some((receiving, sent));
                    }
                },
                Step::Send(blob, count, honest) => {
                    let failed = uploads[blob].as_mut().is_some_and(|(receiving, sent)| {
                        let rest = BLOBS[blob].get(*sent..).unwrap_or_default();
                        let mut piece = rest[..count.min(rest.len())].to_vec();
                        if !honest {
                            piece.push(b'!');
                        }
                        *sent += piece.len();
                        receiving.write(&piece).is_err()
                    });
                    if failed {
                        uploads[blob] = None;
                    }
                }
                Step::Finish(blob) => {
                    // Where something is wrong or missing, it is not kept.
                    let _ = uploads[blob].take().map(|(receiving, _)| receiving.finish());
                }
                Step::Drop(blob) => uploads[blob] = None,
                Step::Restart => {
                    uploads = [None, None, None];
                    store = self::store(folder.path(), limit);
                }
            }
            for blob in BLOBS {
                if let Some(content) = content(&store, Digest::of(blob)) {
                    prop_assert_eq!(content, blob);
                }
            }
        }
        drop(uploads);
        // Whoever is honest gets it in after all of that, where there is room.
        if limit == ROOMY {
            for blob in BLOBS {
                put(&store, blob).unwrap();
            }
            prop_assert_eq!(store.missing(&BLOBS.map(Digest::of)), []);
        }
    }
}
