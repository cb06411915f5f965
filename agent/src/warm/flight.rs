//! One flight: kept databases are found, or made in a pod of their own.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Instant;

use muletrain_proto::blob::Digest;
use muletrain_proto::cli::chain;
use muletrain_proto::client::databases::Sought;
use muletrain_proto::id::{Epoch, LeaseId, LeaseKey, RunId, SuiteName};
use muletrain_proto::lease::{Lease, Work};
use muletrain_proto::link::RunBrief;
use muletrain_proto::offer::Seek;
use muletrain_proto::seconds::Seconds;

use super::store::Store;
use super::{Outcome, Warmer, exchange};
use crate::docker::travel;
use crate::pod::{Pod, Signal};
use crate::pure::harness::Candidate;
use crate::pure::kept::{self, Entry, Images, Key, Place, Times};
use crate::pure::warming::{Answer, Failure, Input, Made, Step, Task, Warming};

/// What pods of a flight are marked with. Leases are numbered from 1, so it is nobody else's.
pub(super) fn pod(run: &RunId, number: u64) -> LeaseKey {
    LeaseKey { run: run.clone(), lease: LeaseId(0), epoch: Epoch(number) }
}

/// What others come to.
enum Elsewhere {
    /// Databases, kept here by now under this name.
    Found(String),
    /// None; others wait for those made here while this is kept.
    Turn(Option<Box<Sought>>),
}

/// What a flight works with.
pub(super) struct Flight<'a> {
    pub(super) warmer: &'a Warmer,
    pub(super) key: &'a Key,
    pub(super) pod: &'a LeaseKey,
    pub(super) brief: &'a RunBrief,
    pub(super) suite: &'a SuiteName,
}

impl Flight<'_> {
    /// The whole flight; `making` is called once nothing was found. Its pod is left to be removed
    /// by the caller, who may also drop this at any moment.
    pub(super) async fn run(self, making: impl FnOnce()) -> Outcome {
        self.find_or_make(making).await.unwrap_or_else(Outcome::Failed)
    }

    async fn find_or_make(&self, making: impl FnOnce()) -> Result<Outcome, Failure> {
        let known = self.stored(|store, key| Ok(store.times(key))).await?;
        if known.is_some_and(|times| !times.are_worthwhile()) {
            return Ok(Outcome::Skipped);
        }
        if let Some(name) = self.find().await? {
            return Ok(Outcome::Found(name));
        }
        let turn = match self.find_elsewhere().await? {
            Elsewhere::Found(name) => return Ok(Outcome::Found(name)),
            Elsewhere::Turn(turn) => turn,
        };
        making();
        let begun = Instant::now();
        let made = self.make().await;
        if let Ok(Outcome::Made { name, .. }) = &made {
            self.offer(name, turn);
        }
        if let Err(Failure::Unkept { .. }) = made {
            // The next snapshot's pod shall not set up what is thrown away again.
            let times = Times { saves: Seconds::ZERO, whole: begun.elapsed().into() };
            self.stored(move |store, key| store.note_times(key, times)).await?;
        }
        made
    }

    /// The name of kept databases that fit this snapshot.
    async fn find(&self) -> Result<Option<String>, Failure> {
        let entries = self.stored(|store, key| Ok(store.entries(key))).await?;
        self.matching(entries).await
    }

    /// The name of the first of these that fits this snapshot.
    async fn matching(&self, entries: Vec<(String, Entry)>) -> Result<Option<String>, Failure> {
        let candidate = |(id, entry): (String, Entry)| Candidate { id, manifest: entry.manifest };
        let candidates: Vec<Candidate> = entries.into_iter().map(candidate).collect();
        if candidates.is_empty() {
            return Ok(None);
        }
        // Files and the environment are compared, for which nothing else has to run.
        let mut brief = self.brief.clone();
        let services = std::mem::take(&mut brief.snapshot.services);
        let provided = services.into_iter().flat_map(|service| service.provides);
        let set = std::mem::take(&mut brief.snapshot.environment.set);
        brief.snapshot.environment.set = provided.chain(set).collect();
        let root = self.warmer.runtime.hello(&self.lease(), &brief).root;
        let pod = self.start(&brief).await?;
        let answer = self.talk(pod, Task::Match { root, candidates }).await?;
        self.warmer.runtime.remove(self.pod).await;
        match answer {
            Answer::Matched(name) => Ok(name),
            Answer::Made(_) => Err(Failure::other("the harness made what nobody asked for")),
        }
    }

    /// Databases of another agent that fit this snapshot, as some of this one's; else the turn to
    /// make some.
    async fn find_elsewhere(&self) -> Result<Elsewhere, Failure> {
        let Some(exchange) = &self.warmer.exchange else { return Ok(Elsewhere::Turn(None)) };
        let (key, mut known) = (self.key_elsewhere(), vec![]);
        loop {
            let snapshot = self.brief.snapshot.id.clone();
            let seek = Seek { key, snapshot, known: known.clone() };
            let Some(sought) = exchange.seek(seek).await else { return Ok(Elsewhere::Turn(None)) };
            if sought.entries.is_empty() {
                return Ok(Elsewhere::Turn(Some(Box::new(sought))));
            }
            let offered = exchange.entries(&sought.entries).await;
            known.extend(sought.entries);
            let fitting = self.matching(offered.clone()).await?;
            let entry = offered.into_iter().find(|(name, _)| Some(name) == fitting.as_ref());
            let Some((offer, entry)) = entry else { continue };
            match self.adopt(entry).await {
                Ok(name) => {
                    tracing::info!(run = %self.brief.run, offer, "databases of another agent fit");
                    return Ok(Elsewhere::Found(name));
                }
                Err(failure) => tracing::info!(offer, %failure, "databases stay elsewhere"),
            }
        }
    }

    /// Keeps databases of another agent as some of this one's; their name here.
    async fn adopt(&self, entry: Entry) -> Result<String, Failure> {
        let unfinished = self.stored(Store::begin).await?;
        let (mut images, mut bytes) = (BTreeMap::new(), 0_u64);
        for (service, image) in &entry.images {
            let lower = exchange::lower(&self.brief.snapshot.services, service);
            let lower = lower.ok_or_else(|| Failure::other("an image of no service is offered"))?;
            let place = travel::Place {
                pod: self.pod,
                platform: &self.warmer.place.platform,
                store: unfinished.store_id(),
                entry: unfinished.name(),
            };
            let adopted = self.warmer.runtime.adopt_image(image, lower, service, place).await;
            let (image, size) = adopted.map_err(|error| Failure::other(chain(&error)))?;
            images.insert(service.clone(), image);
            bytes = bytes.saturating_add(size);
        }
        let entry = Entry { images, ..entry };
        // How long they would take here is not known: whoever offers them found them worth it.
        self.stored(move |_, _| unfinished.finish(&entry, bytes)).await
    }

    /// Offers databases that were made to other agents, who wait for that as long as the turn is
    /// kept; the pods of this one do not.
    fn offer(&self, name: &str, turn: Option<Box<Sought>>) {
        let (Some(exchange), Some(turn)) = (self.warmer.exchange.clone(), turn) else { return };
        let (store, runtime) = (self.warmer.store.clone(), self.warmer.runtime.clone());
        let (key, name, elsewhere) = (self.key.clone(), name.to_owned(), self.key_elsewhere());
        let services = self.brief.snapshot.services.clone();
        self.warmer.tasks.spawn(async move {
            let taken = tokio::task::spawn_blocking(move || {
                store
                    .take(&key, &name)
                    .filter(|_| store.times(&key).is_some_and(|times| times.are_worthwhile()))
            });
            if let Ok(Some(entry)) = taken.await {
                exchange.offer(elsewhere, &entry, &services, &runtime).await;
            }
            drop(turn);
        });
    }

    /// What the databases depend on and is no file, wherever its images are.
    fn key_elsewhere(&self) -> Digest {
        let place = Place { engine: None, ..self.warmer.place.clone() };
        let key = Key::new(self.brief, self.suite, &place);
        Digest::of(key.as_str().as_bytes())
    }

    async fn make(&self) -> Result<Outcome, Failure> {
        let hello = self.warmer.runtime.hello(&self.lease(), self.brief);
        let task = Task::Make(Box::new(crate::pure::harness::Hello { trace: true, ..hello }));
        let begun = Instant::now();
        let pod = self.start(self.brief).await?;
        let started = Seconds::from(begun.elapsed());
        let made = match self.talk(pod, task).await? {
            Answer::Made(made) => made,
            Answer::Matched(_) => {
                return Err(Failure::other("the harness answered what nobody asked"));
            }
        };
        let unfinished = self.stored(Store::begin).await?;
        let images = self.keep_services(&made, (unfinished.store_id(), unfinished.name())).await?;
        let Made { databases, manifest, seconds } = made;
        let Images { of_services: images, bytes } = images;
        let entry = Entry { version: kept::VERSION, manifest, databases, seconds, images };
        let none = entry.usable().next().is_none();
        let saves = entry.saves() + if entry.images.is_empty() { Seconds::ZERO } else { started };
        let name = self
            .stored(move |store, key| {
                if none {
                    return Ok(None);
                }
                store.note_times(key, Times { saves, whole: seconds })?;
                unfinished.finish(&entry, bytes).map(Some)
            })
            .await?;
        match name {
            Some(name) => Ok(Outcome::Made { name, seconds }),
            None => Err(Failure::unkept(
                "none of the databases can be kept: they are on servers of which no service says \
                 where it stores its data, or more is written to them than their own migrations do",
            )),
        }
    }

    /// Images of the pod's services, where databases are on them.
    async fn keep_services(&self, made: &Made, mark: (&str, &str)) -> Result<Images, Failure> {
        if made.databases.iter().all(|database| database.data.is_some()) {
            return Ok(Images::default());
        }
        let images = self.warmer.runtime.keep_services(self.pod, self.brief, mark).await;
        images.map_err(|error| match error.is_about_keeping() {
            true => Failure::unkept(chain(&error)),
            false => Failure::other(chain(&error)),
        })
    }

    async fn start(&self, brief: &RunBrief) -> Result<Pod, Failure> {
        let started = self.warmer.runtime.start(&self.lease(), brief).await;
        started.map_err(|error| Failure::other(chain(&error)))
    }

    /// Talks to a pod until the answer is known.
    async fn talk(&self, mut pod: Pod, task: Task) -> Result<Answer, Failure> {
        let (mut warming, command) = Warming::begin(Instant::now(), task);
        pod.command(&command);
        loop {
            let deadline = tokio::time::Instant::from_std(warming.deadline());
            let mut late = pin!(tokio::time::sleep_until(deadline));
            let input = tokio::select! {
                biased;
                signal = pod.next() => match signal {
                    Signal::Line(line) => Input::Line(line),
                    Signal::Exited(exit) => Input::Exited(exit),
                },
                () = &mut late => Input::Tick,
            };
            match warming.handle(Instant::now(), input) {
                Step::Wait => {}
                Step::Say(command) => pod.command(&command),
                Step::End(answer) => return answer,
            }
        }
    }

    /// The lease that a pod of this flight would have.
    fn lease(&self) -> Lease {
        Lease {
            key: self.pod.clone(),
            work: Work::Collect { labels: vec![] },
            checks: false,
            suite: self.suite.clone(),
            without: vec![],
            time_left: None,
        }
    }

    /// Asks the store, which waits for the disk.
    async fn stored<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Store, &Key) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, Failure> {
        let (store, key) = (self.warmer.store.clone(), self.key.clone());
        let asked = tokio::task::spawn_blocking(move || ask(&store, &key)).await;
        asked.map_err(std::io::Error::other).flatten().map_err(|error| {
            let folder = self.warmer.store.folder().display();
            Failure::other(format!("failed to keep databases in {folder}: {error}"))
        })
    }
}
