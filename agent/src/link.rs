//! The stream to the scheduler: opened again and again, with heartbeats from a task of its own.

use std::time::Duration;

use futures_util::StreamExt;
use muletrain_proto::client::{self, Address, MESSAGE_LIMIT};
use muletrain_proto::id::LeaseKey;
use muletrain_proto::link::{ToAgent, ToScheduler};
use muletrain_proto::wire;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::task::AbortOnDropHandle;
use tonic::{Code, Status};

use crate::pure::backoff;

/// The way out to the scheduler, as long as the stream lives.
pub type Sender = mpsc::UnboundedSender<ToScheduler>;

/// What happens on the stream.
#[derive(Debug)]
pub enum Update {
    /// It is open; hello is expected on it first.
    Opened(Sender),
    /// The scheduler said something.
    Message(ToAgent),
    /// It is lost, and will be opened again.
    Lost {
        /// Why.
        reason: String,
    },
    /// The scheduler does not want this agent.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Why a stream ended.
enum End {
    Lost(String),
    Refused(String),
    /// Nobody listens to updates any more.
    Unwanted,
}

/// Keeps a stream open until the scheduler refuses it or nobody wants its updates.
pub async fn keep(
    address: Address,
    held: watch::Receiver<Vec<LeaseKey>>,
    updates: mpsc::Sender<Update>,
) {
    let mut failures = 0;
    loop {
        let mut welcomed = false;
        match stream(&address, &held, &updates, &mut welcomed).await {
            End::Unwanted => return,
            End::Refused(reason) => {
                let _ = updates.send(Update::Refused { reason }).await;
                return;
            }
            End::Lost(reason) => {
                if updates.send(Update::Lost { reason }).await.is_err() {
                    return;
                }
            }
        }
        failures = if welcomed { 1 } else { failures + 1 };
        let pause = backoff::delay(failures, fastrand::f64());
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = updates.closed() => return,
        }
    }
}

/// One stream, from its opening to its end.
async fn stream(
    address: &Address,
    held: &watch::Receiver<Vec<LeaseKey>>,
    updates: &mpsc::Sender<Update>,
    welcomed: &mut bool,
) -> End {
    let channel = match client::connect(address).await {
        Ok(channel) => channel,
        Err(error) => return End::Lost(error.to_string()),
    };
    let (sender, to_send) = mpsc::unbounded_channel();
    let weak = sender.downgrade();
    // Before the call, because the scheduler may answer it only once it has read hello.
    if updates.send(Update::Opened(sender)).await.is_err() {
        return End::Unwanted;
    }
    let mut agents = wire::agents_client::AgentsClient::new(channel)
        .max_decoding_message_size(MESSAGE_LIMIT)
        .max_encoding_message_size(MESSAGE_LIMIT);
    let requests = UnboundedReceiverStream::new(to_send).map(wire::AgentMessage::from);
    let mut messages = match agents.attach(requests).await {
        Ok(response) => response.into_inner(),
        Err(status) => return ended(&status),
    };
    let mut heartbeat = None;
    loop {
        let message = match messages.message().await {
            Ok(Some(message)) => message,
            Ok(None) => return End::Lost("the scheduler ended the stream".to_owned()),
            Err(status) => return ended(&status),
        };
        let message = match ToAgent::try_from(message) {
            Ok(message) => message,
            Err(error) => return End::Lost(error.to_string()),
        };
        if let ToAgent::Welcome { heartbeat: interval } = &message {
            *welcomed = true;
            let beats = beat(weak.clone(), held.clone(), interval.duration());
            heartbeat = Some(AbortOnDropHandle::new(tokio::spawn(beats)));
        }
        if updates.send(Update::Message(message)).await.is_err() {
            drop(heartbeat);
            return End::Unwanted;
        }
    }
}

fn ended(status: &Status) -> End {
    match status.code() {
        Code::FailedPrecondition => End::Refused(status.message().to_owned()),
        code => End::Lost(format!("{code}: {}", status.message())),
    }
}

async fn beat(
    sender: mpsc::WeakUnboundedSender<ToScheduler>,
    held: watch::Receiver<Vec<LeaseKey>>,
    interval: Duration,
) {
    let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(10)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let Some(sender) = sender.upgrade() else { return };
        let leases = held.borrow().clone();
        if sender.send(ToScheduler::Heartbeat(leases)).is_err() {
            return;
        }
    }
}
