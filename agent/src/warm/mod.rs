//! Kept databases: set up once on this agent and used by all pods whose project is the same in
//! everything that had a part in making them.
//!
//! The first lease that wants them starts a [`flight`], which finds or makes them; others of the
//! same snapshot wait for that one. What it comes to is remembered, and so is a failure that would
//! come again.

pub mod command;
mod exchange;
mod flight;
pub mod store;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use muletrain_proto::client::Address;
use muletrain_proto::event::Warming;
use muletrain_proto::id::{LeaseKey, SnapshotId, SuiteName};
use muletrain_proto::link::RunBrief;
use muletrain_proto::seconds::Seconds;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::pure::kept::{Database, Entry, Key, Place};
use crate::pure::warming::Failure;
use crate::runtime::Runtime;
use exchange::Exchange;
use store::Store;

/// Flights remembered; of more, those that are over are forgotten.
const REMEMBERED: usize = 256;

/// How often databases that were removed meanwhile are looked for again before a pod has to set
/// up its own.
const ATTEMPTS: u32 = 2;

/// How long the pods of flights that nobody waits for may take to go.
const LEAVE_LIMIT: Duration = Duration::from_secs(3);

/// Finds and makes kept databases.
#[derive(Debug)]
pub struct Warmer {
    runtime: Runtime,
    place: Place,
    store: Store,
    exchange: Option<Exchange>,
    flights: Mutex<Flights>,
    tasks: TaskTracker,
}

#[derive(Debug, Default)]
struct Flights {
    known: HashMap<Subject, watch::Sender<Progress>>,
    /// Pods of those under way.
    pods: Vec<LeaseKey>,
    count: u64,
}

/// What databases are wanted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Subject {
    key: Key,
    suite: SuiteName,
    snapshot: SnapshotId,
}

/// How far a flight is.
#[derive(Debug, Clone, PartialEq)]
enum Progress {
    Looking,
    Making,
    Over(Outcome),
}

/// What a flight came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Kept databases of this name fit.
    Found(String),
    /// Databases were made and are kept under this name.
    Made {
        /// The name.
        name: String,
        /// Time it took.
        seconds: Seconds,
    },
    /// They take so little time that it is not worth a pod.
    Skipped,
    /// There are none.
    Failed(Failure),
}

/// Databases that a pod can begin with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ready {
    /// What to tell its harness.
    pub databases: Vec<Database>,
    /// Images of services with databases on them, by the services' names.
    pub images: BTreeMap<String, String>,
}

impl From<Entry> for Ready {
    fn from(entry: Entry) -> Self {
        Self { databases: entry.usable().cloned().collect(), images: entry.images }
    }
}

impl Warmer {
    /// Databases kept in a cache folder, and pods of a runtime, which are in this place.
    #[must_use]
    pub fn new(runtime: Runtime, place: Place, cache: &std::path::Path) -> Self {
        let (store, tasks) = (Store::new(cache), TaskTracker::new());
        Self { runtime, place, store, exchange: None, flights: Mutex::default(), tasks }
    }

    /// The same, and a scheduler by which agents give each other databases.
    #[must_use]
    pub fn with_exchange(self, scheduler: Address) -> Self {
        Self { exchange: Some(Exchange::new(scheduler)), ..self }
    }

    /// Begins to wait for the databases of a run. Whoever waits keeps the flight going.
    #[must_use]
    pub fn wait_for(self: &Arc<Self>, brief: &Arc<RunBrief>, suite: &SuiteName) -> Wait {
        let key = Key::new(brief, suite, &self.place);
        let (suite, snapshot) = (suite.clone(), brief.snapshot.id.clone());
        let subject = Subject { key, suite, snapshot };
        let progress = self.join(&subject, brief);
        let is_late = matches!(*progress.borrow(), Progress::Over(_));
        let (warmer, brief) = (self.clone(), brief.clone());
        Wait { warmer, brief, subject, progress, is_late, has_begun: false, attempts: 0 }
    }

    /// Pods of flights under way.
    #[must_use]
    pub fn pods(&self) -> Vec<LeaseKey> {
        self.lock().pods.clone()
    }

    /// Lets the pods of flights go that nobody waits for any more.
    pub async fn leave(&self) {
        self.tasks.close();
        let _ = tokio::time::timeout(LEAVE_LIMIT, self.tasks.wait()).await;
    }

    /// Joins the flight of a subject, or starts it.
    fn join(
        self: &Arc<Self>,
        subject: &Subject,
        brief: &Arc<RunBrief>,
    ) -> watch::Receiver<Progress> {
        let mut flights = self.lock();
        if let Some(known) = flights.known.get(subject).filter(|known| !is_worth_a_retry(known)) {
            return known.subscribe();
        }
        if flights.known.len() >= REMEMBERED {
            flights.known.retain(|_, known| !matches!(*known.borrow(), Progress::Over(_)));
        }
        flights.count += 1;
        let pod = flight::pod(&brief.run, flights.count);
        flights.pods.push(pod.clone());
        let (sender, receiver) = watch::channel(Progress::Looking);
        flights.known.insert(subject.clone(), sender.clone());
        let (warmer, subject, brief) = (self.clone(), subject.clone(), brief.clone());
        self.tasks.spawn(async move { warmer.fly(subject, pod, &brief, sender).await });
        receiver
    }

    /// One flight, until its end or until nobody waits for it any more.
    async fn fly(
        &self,
        subject: Subject,
        pod: LeaseKey,
        brief: &RunBrief,
        progress: watch::Sender<Progress>,
    ) {
        let making = || {
            progress.send_replace(Progress::Making);
        };
        let outcome = {
            let Subject { key, suite, .. } = &subject;
            let flight = flight::Flight { warmer: self, key, pod: &pod, brief, suite };
            let mut outcome = std::pin::pin!(flight.run(making));
            loop {
                tokio::select! {
                    outcome = &mut outcome => break Some(outcome),
                    () = progress.closed() => if self.abandon(&subject, &progress) {
                        break None;
                    },
                }
            }
        };
        self.runtime.remove(&pod).await;
        self.lock().pods.retain(|other| *other != pod);
        if let Some(outcome) = outcome {
            if let Outcome::Failed(failure) = &outcome {
                tracing::info!(run = %brief.run, %failure, "no databases are kept");
            }
            progress.send_replace(Progress::Over(outcome));
        }
        self.remove_images().await;
    }

    /// Removes images of entries that are not kept.
    async fn remove_images(&self) {
        let store = self.store.clone();
        let listed = tokio::task::spawn_blocking(move || (store.id(), store.names())).await;
        // A store that was never written to has no images.
        if let Ok((Some(id), names)) = listed {
            self.runtime.remove_images(&id, &names).await;
        }
    }

    /// Forgets a flight unless someone waits for it again; whether it is forgotten.
    fn abandon(&self, subject: &Subject, progress: &watch::Sender<Progress>) -> bool {
        let mut flights = self.lock();
        let is_abandoned = progress.is_closed();
        if is_abandoned {
            flights.known.remove(subject);
        }
        is_abandoned
    }

    /// Forgets what a flight came to.
    fn forget(&self, subject: &Subject) {
        let mut flights = self.lock();
        if flights.known.get(subject).is_some_and(|it| matches!(*it.borrow(), Progress::Over(_))) {
            flights.known.remove(subject);
        }
    }

    async fn take(self: &Arc<Self>, key: &Key, name: String) -> Option<Entry> {
        let (store, of) = (self.store.clone(), (key.clone(), name.clone()));
        let taken = tokio::task::spawn_blocking(move || store.take(&of.0, &of.1)).await;
        let entry = taken.ok().flatten()?;
        if self.runtime.has_images(entry.images.values()).await {
            return Some(entry);
        }
        self.store.remove(key, &name);
        None
    }

    fn lock(&self) -> MutexGuard<'_, Flights> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a flight failed of something that may have passed, and nobody waits for it any more.
fn is_worth_a_retry(known: &watch::Sender<Progress>) -> bool {
    let has_failed = matches!(
        &*known.borrow(),
        Progress::Over(Outcome::Failed(failure)) if failure.is_passing()
    );
    has_failed && known.is_closed()
}

/// Someone who waits for databases.
#[derive(Debug)]
pub struct Wait {
    warmer: Arc<Warmer>,
    brief: Arc<RunBrief>,
    subject: Subject,
    progress: watch::Receiver<Progress>,
    /// The flight was over before the wait began.
    is_late: bool,
    has_begun: bool,
    attempts: u32,
}

/// What someone who waits gets to know.
#[derive(Debug)]
pub enum News {
    /// They are being made.
    Begun,
    /// What it came to, and what a pod can begin with.
    Over(Outcome, Ready),
}

impl Wait {
    /// What happens next. Nothing is lost where this is dropped before it is there.
    pub async fn next(&mut self) -> News {
        loop {
            let progress = self.progress.borrow_and_update().clone();
            match progress {
                Progress::Making if !self.has_begun => {
                    self.has_begun = true;
                    return News::Begun;
                }
                Progress::Looking | Progress::Making => {
                    // The sender is kept for as long as anyone waits.
                    if self.progress.changed().await.is_err() {
                        let failure = Failure::other("what makes databases is gone");
                        return News::Over(Outcome::Failed(failure), Ready::default());
                    }
                }
                Progress::Over(outcome) => {
                    if let Some(news) = self.over(outcome).await {
                        return news;
                    }
                }
            }
        }
    }

    /// Looks at what setting databases up took a pod that began with none: should it be much more
    /// than is known, whoever waits for them next has them looked for again.
    pub async fn learn(self, whole: Seconds) {
        let (store, key) = (self.warmer.store.clone(), self.subject.key.clone());
        let learnt = tokio::task::spawn_blocking(move || {
            store.outgrow(&key, whole);
            store.times(&key).is_none()
        });
        if learnt.await.unwrap_or(false) {
            self.warmer.forget(&self.subject);
        }
    }

    /// The last news, unless the databases are gone meanwhile and looked for again.
    async fn over(&mut self, outcome: Outcome) -> Option<News> {
        let (Outcome::Found(name) | Outcome::Made { name, .. }) = &outcome else {
            return Some(News::Over(outcome, Ready::default()));
        };
        if let Some(entry) = self.warmer.take(&self.subject.key, name.clone()).await {
            let outcome = match outcome {
                Outcome::Made { name, .. } if self.is_late => Outcome::Found(name),
                outcome => outcome,
            };
            return Some(News::Over(outcome, entry.into()));
        }
        self.attempts += 1;
        if self.attempts >= ATTEMPTS {
            let failure = Failure::other("kept databases were removed before they were used");
            return Some(News::Over(Outcome::Failed(failure), Ready::default()));
        }
        self.warmer.forget(&self.subject);
        self.progress = self.warmer.join(&self.subject, &self.brief);
        None
    }
}

impl Outcome {
    /// What the scheduler is told of it.
    #[must_use]
    pub fn event(&self) -> Option<Warming> {
        match self {
            Self::Found(_) => Some(Warming::Found),
            Self::Made { seconds, .. } => Some(Warming::Made { seconds: *seconds }),
            Self::Skipped => None,
            Self::Failed(failure) => Some(Warming::Failed { reason: failure.to_string() }),
        }
    }
}
