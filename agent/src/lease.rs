//! The task of one lease: carries what its pod says to the conversation, and out what follows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use muletrain_proto::cli::chain;
use muletrain_proto::client::Address;
use muletrain_proto::coverage::Part;
use muletrain_proto::event::{Event, PodStarted, Warming};
use muletrain_proto::id::LeaseKey;
use muletrain_proto::lease::{Grant, Lease};
use muletrain_proto::link::RunBrief;
use muletrain_proto::seconds::Seconds;
use tokio::sync::{mpsc, watch};

use crate::artifacts::{self, Outbox};
use crate::parking::{Parked, Parking};
use crate::pod::{Pod, Signal};
use crate::pure::backlog;
use crate::pure::conversation::{Conversation, Input, Output};
use crate::pure::pod;
use crate::runtime::{self, Runtime};
use crate::warm::{News, Outcome, Wait, Warmer};

/// What the agent wants of a lease.
#[derive(Debug)]
pub enum Order {
    /// Run these tests.
    Grant(Grant),
    /// The scheduler wants it back.
    Revoke,
    /// The agent lets go of it.
    Stop(String),
}

/// What a lease is worked on with.
#[derive(Debug)]
pub struct Host {
    /// Makes its pod.
    pub runtime: Runtime,
    /// Keeps databases, where there is a folder for them.
    pub warmer: Option<Arc<Warmer>>,
    /// Keeps pods for the leases to come.
    pub parking: Arc<Parking>,
    /// Who gets the pod's files.
    pub scheduler: Address,
    /// The agent.
    pub updates: mpsc::Sender<Update>,
}

/// What reaches a lease from the agent.
#[derive(Debug)]
pub struct Inbox {
    /// What is wanted of it.
    pub orders: mpsc::UnboundedReceiver<Order>,
    /// Bytes of its events that the scheduler has not acknowledged.
    pub backlog: watch::Receiver<usize>,
}

/// What a lease tells the agent.
#[derive(Debug)]
pub enum Update {
    /// Something happened in its pod.
    Event(LeaseKey, Event),
    /// Its last event is out and its pod is removed.
    Removed(LeaseKey),
}

/// Works on a lease until its pod is removed.
pub async fn work(host: Host, lease: Lease, brief: Arc<RunBrief>, inbox: Inbox) {
    let Host { runtime, warmer, parking, scheduler, updates } = host;
    let shared = Arc::new(pod::of_all(&brief));
    let brief = Arc::new(pod::of_lease(&lease, &brief));
    let hello = runtime.hello(&lease, &brief);
    let memory_limit = runtime.memory_limit(&brief);
    // Clocks of hosts differ, so the scheduler says how long and not until when.
    let run_ends = lease.time_left.and_then(|left| Instant::now().checked_add(left.duration()));
    let conversation = Conversation::new(lease.work.clone(), hello, memory_limit).until(run_ends);
    let key = lease.key.clone();
    let mut worker = Worker {
        runtime: runtime.clone(),
        warmer,
        parking: parking.clone(),
        home: key.clone(),
        images: BTreeMap::new(),
        key: key.clone(),
        conversation,
        inbox,
        updates,
        outbox: Outbox::new(scheduler.clone()),
        scheduler,
        pod: None,
        skipped: None,
    };
    worker.run(&lease, &brief, &shared).await;
    let updates = worker.updates.clone();
    // Closes the pod's standard input before it is taken away.
    if let Some(home) = worker.park() {
        runtime.remove(&home).await;
        parking.forget(&home);
    }
    let _ = updates.send(Update::Removed(key)).await;
}

struct Worker {
    runtime: Runtime,
    warmer: Option<Arc<Warmer>>,
    parking: Arc<Parking>,
    /// The lease that the pod was started for: this one, or an earlier one.
    home: LeaseKey,
    /// Images of services with databases on them that the pod was started with.
    images: BTreeMap<String, String>,
    key: LeaseKey,
    conversation: Conversation,
    inbox: Inbox,
    updates: mpsc::Sender<Update>,
    outbox: Outbox,
    scheduler: Address,
    pod: Option<Pod>,
    /// The wait for databases that were thought to take no time.
    skipped: Option<Wait>,
}

impl Worker {
    async fn run(&mut self, lease: &Lease, brief: &Arc<RunBrief>, shared: &Arc<RunBrief>) {
        self.images = self.warm(lease, shared).await;
        if !self.resume().await {
            self.start(lease, &pod::with_images(brief, &self.images)).await;
        }
        while !self.conversation.is_over() {
            let input = self.next().await;
            self.handle(input).await;
        }
    }

    /// Waits for databases that the pod can begin with, unless an order ends the lease before
    /// that; the images of services with databases on them, by the services' names.
    async fn warm(&mut self, lease: &Lease, brief: &Arc<RunBrief>) -> BTreeMap<String, String> {
        let suite = brief.snapshot.suite(&lease.suite);
        let has_databases = suite.is_some_and(|suite| suite.adapter.has_databases());
        let is_wanted =
            has_databases && lease.work.app().is_some() && !brief.options.fresh_databases;
        let Some(warmer) = self.warmer.clone().filter(|_| is_wanted) else {
            return BTreeMap::new();
        };
        let mut wait = warmer.wait_for(brief, &lease.suite);
        while !self.conversation.is_over() {
            tokio::select! {
                news = wait.next() => match news {
                    News::Begun => self.handle(Input::Warming(Warming::Begun)).await,
                    News::Over(outcome, ready) => {
                        if let Some(event) = outcome.event() {
                            self.handle(Input::Warming(event)).await;
                        }
                        self.handle(Input::Kept(ready.databases)).await;
                        self.skipped = matches!(outcome, Outcome::Skipped).then_some(wait);
                        return ready.images;
                    }
                },
                order = self.inbox.orders.recv() => self.handle(obey(order)).await,
            }
        }
        BTreeMap::new()
    }

    /// Takes over a pod of an earlier lease; whether there was one.
    async fn resume(&mut self) -> bool {
        if self.conversation.is_over() {
            return false;
        }
        let hello = self.conversation.hello();
        let Some(parked) = self.parking.take(&self.key.run, hello, &self.images) else {
            return false;
        };
        let (pod, seconds) = (parked.pod.id.clone(), Seconds::ZERO);
        self.home = parked.home;
        self.pod = Some(parked.pod);
        let started = PodStarted { pod, seconds, reused: true };
        self.handle(Input::Resumed(started, parked.booted)).await;
        true
    }

    /// Keeps the pod if it can take another lease; else lets go of it, and says by which lease it
    /// is to be removed.
    fn park(self) -> Option<LeaseKey> {
        let (Some(pod), Some(booted)) = (self.pod, self.conversation.parked()) else {
            return Some(self.home);
        };
        self.parking.park(Parked {
            pod,
            home: self.home,
            hello: self.conversation.hello().clone(),
            booted: booted.clone(),
            images: self.images,
            since: Instant::now(),
        });
        None
    }

    /// Brings the pod up, unless an order ends the lease before that.
    async fn start(&mut self, lease: &Lease, brief: &RunBrief) {
        let runtime = self.runtime.clone();
        let begun = Instant::now();
        let mut starting = std::pin::pin!(runtime.start(lease, brief));
        while !self.conversation.is_over() {
            tokio::select! {
                started = &mut starting => {
                    let input = self.started(started, begun);
                    return self.handle(input).await;
                }
                order = self.inbox.orders.recv() => self.handle(obey(order)).await,
            }
        }
    }

    fn started(&mut self, started: Result<Pod, runtime::Error>, begun: Instant) -> Input {
        match started {
            Ok(pod) => {
                let started = PodStarted {
                    pod: pod.id.clone(),
                    seconds: begun.elapsed().into(),
                    reused: false,
                };
                self.pod = Some(pod);
                Input::Started(started)
            }
            Err(error) => Input::NotStarted { reason: chain(&error) },
        }
    }

    /// What happens next. Orders come first, and time last: what a pod said in time counts, even
    /// where the agent comes to read it late.
    async fn next(&mut self) -> Input {
        // A pod too far ahead of the scheduler is not listened to, which in the end makes its
        // tests wait, and is not held against it.
        while *self.inbox.backlog.borrow_and_update() >= backlog::LIMIT {
            tokio::select! {
                order = self.inbox.orders.recv() => return obey(order),
                changed = self.inbox.backlog.changed() => if changed.is_err() {
                    return obey(None);
                },
            }
        }
        let deadline = self.conversation.deadline().map(tokio::time::Instant::from_std);
        tokio::select! {
            biased;
            order = self.inbox.orders.recv() => obey(order),
            signal = said(self.pod.as_mut()) => match signal {
                Signal::Line(line) => Input::Line(line),
                Signal::Exited(exit) => Input::Exited(exit),
            },
            () = until(deadline) => Input::Tick,
        }
    }

    /// What cannot be had ends the lease, unless an order does so before.
    async fn deliver(&mut self, parts: &[Part]) {
        let Some(pod) = &self.pod else { return };
        let delivered = artifacts::deliver(&self.scheduler, parts, pod);
        let input = tokio::select! {
            delivered = delivered => match delivered {
                Ok(()) => return,
                Err(error) => Input::Stop { reason: chain(&error) },
            },
            order = self.inbox.orders.recv() => obey(order),
        };
        Box::pin(self.handle(input)).await;
    }

    async fn handle(&mut self, input: Input) {
        for output in self.conversation.handle(Instant::now(), input) {
            match output {
                Output::Command(command) => {
                    if let Some(pod) = &self.pod {
                        pod.command(&command);
                    }
                }
                Output::Event(event) => {
                    if let Event::Ready(ready) = &event
                        && let Some(skipped) = self.skipped.take()
                    {
                        skipped.learn(ready.seconds).await;
                    }
                    let _ = self.updates.send(Update::Event(self.key.clone(), event)).await;
                }
                Output::Take(piece) => {
                    if let Some(artifact) = self.outbox.take(piece).await {
                        let event = Event::Artifact(artifact);
                        let _ = self.updates.send(Update::Event(self.key.clone(), event)).await;
                    }
                }
                Output::Deliver(parts) => self.deliver(&parts).await,
                Output::Kill => self.runtime.kill(&self.home).await,
            }
        }
    }
}

/// An order as the conversation knows it. Without a sender the agent itself is gone.
fn obey(order: Option<Order>) -> Input {
    match order {
        Some(Order::Grant(grant)) => Input::Grant(grant),
        Some(Order::Revoke) => Input::Revoke,
        Some(Order::Stop(reason)) => Input::Stop { reason },
        None => Input::Stop { reason: "the agent is gone".to_owned() },
    }
}

async fn said(pod: Option<&mut Pod>) -> Signal {
    match pod {
        Some(pod) => pod.next().await,
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
