//! Parts of images from a scheduler whose connections break.

mod support;

use muletrain_agent::blobs::{Arriving, Error};
use muletrain_proto::blob::Digest;
use muletrain_proto::client::Address;
use support::blobs::{Served, serve, serve_shrinking};

/// Serves something as what is wanted.
fn serve_wanted(content: &[u8], breath: usize) -> Served {
    serve([(Digest::of(b"wanted"), content.to_vec())].into(), breath)
}

async fn get(address: &Address, limit: u64) -> Result<Vec<u8>, Error> {
    Arriving::open(address, Digest::of(b"wanted")).await?.whole(limit).await
}

#[tokio::test]
async fn it_goes_on_where_it_was_after_each_connection_that_broke() {
    let served = serve_wanted(b"wanted", 2);
    assert_eq!(get(&served.address, 100).await.unwrap(), b"wanted");
    let wanted = Digest::of(b"wanted");
    assert_eq!(*served.asked.lock().unwrap(), [(wanted, 0), (wanted, 2), (wanted, 4)]);
}

#[tokio::test]
async fn what_is_something_else_is_an_error() {
    let served = serve_wanted(b"wasted", 100);
    let error = get(&served.address, 100).await.unwrap_err();
    assert!(matches!(error, Error::Other { .. }), "{error}");
}

#[tokio::test]
async fn what_shrinks_while_it_arrives_is_an_error_and_not_asked_for_again() {
    let served = serve_shrinking([(Digest::of(b"wanted"), b"wanted".to_vec())].into(), 3);
    let error = get(&served.address, 100).await.unwrap_err();
    assert!(matches!(error, Error::Resized { first: 6, size: 3, .. }), "{error}");
    let wanted = Digest::of(b"wanted");
    assert_eq!(*served.asked.lock().unwrap(), [(wanted, 0), (wanted, 3)]);
}

#[tokio::test]
async fn what_is_larger_than_it_can_be_is_not_taken() {
    let served = serve_wanted(b"wanted", 100);
    let error = get(&served.address, 5).await.unwrap_err();
    assert!(matches!(error, Error::Large { size: 6, limit: 5, .. }), "{error}");
}

#[tokio::test]
async fn what_the_scheduler_does_not_have_is_not_waited_for() {
    let served = serve_wanted(b"wanted", 100);
    let absent = Digest::of(b"absent");
    let error = Arriving::open(&served.address, absent).await.unwrap_err();
    assert!(error.is_absence_of(absent), "{error}");
    assert!(!error.is_absence_of(Digest::of(b"wanted")));
}
