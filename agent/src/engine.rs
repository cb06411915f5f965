//! The agent's one loop: whatever happens goes to [`Slots`], and what follows is done here.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use muletrain_proto::client::Address;
use muletrain_proto::docker_host::Endpoint;
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::id::LeaseKey;
use muletrain_proto::link::{self as contract, Hello};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use crate::docker::{self, Docker, Facts};
use crate::lease::{self, Order};
use crate::link::{self, Update};
use crate::parking::{Parked, Parking};
use crate::process::Processes;
use crate::pure::kept::Place;
use crate::pure::pod::Owner;
use crate::pure::slots::{Effect, Input, Slots};
use crate::reaper::{self, Reaper};
use crate::runtime::Runtime;
use crate::settings::Settings;
use crate::signals::{Signals, Wish};
use crate::state::{self, State};
use crate::warm::Warmer;

/// Updates that may wait for the loop.
const BACKLOG: usize = 1024;

/// Time between two searches for containers that no lease holds.
const SWEEP: Duration = Duration::from_secs(30);

/// How long an agent that was told to stop may take to kill and clean.
const STOP_LIMIT: Duration = Duration::from_secs(8);

/// How long the last messages may take to leave.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// Why an agent cannot work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its folder.
    #[error(transparent)]
    State(#[from] state::Error),
    /// The engine.
    #[error(transparent)]
    Docker(#[from] docker::Error),
    /// The process that cleans up after it.
    #[error(transparent)]
    Reaper(#[from] reaper::Error),
    /// Signals.
    #[error("failed to listen for signals")]
    Signals(#[source] io::Error),
    /// The scheduler does not want it.
    #[error("the scheduler at {address} refused this agent: {reason}")]
    Refused {
        /// Where.
        address: String,
        /// Why.
        reason: String,
    },
}

impl Error {
    /// The exit code it means.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::State(_)
            | Self::Docker(_)
            | Self::Reaper(_)
            | Self::Signals(_)
            | Self::Refused { .. } => ExitCode::Infrastructure,
        }
    }
}

/// Works until told to leave.
///
/// # Errors
/// When the host lacks what the runtime needs, or the scheduler refuses the agent.
pub async fn run(settings: Settings) -> Result<ExitCode, Error> {
    let signals = Signals::listen(settings.attached).map_err(Error::Signals)?;
    let state = State::open(&settings.state)?;
    let host = Host {
        runtime: settings.runtime,
        endpoint: &settings.endpoint,
        owner: &settings.owner,
        scheduler: Some(&settings.scheduler),
        temporary: settings.temporary,
    };
    let (runtime, place, reaper) = prepare(&host, &state).await?;
    let hello = hello(&settings, place.platform.clone());
    let warmer = settings.cache.as_ref().map(|cache| {
        let warmer = Warmer::new(runtime.clone(), place, cache);
        Arc::new(warmer.with_exchange(settings.scheduler.clone()))
    });
    let (held, seen) = watch::channel(Vec::new());
    let (link_updates, updates) = mpsc::channel(BACKLOG);
    let link = tokio::spawn(link::keep(settings.scheduler.clone(), seen, link_updates));
    let (lease_updates, from_leases) = mpsc::channel(BACKLOG);
    let mut engine = Engine {
        settings,
        runtime: runtime.clone(),
        warmer,
        parking: Arc::default(),
        removals: TaskTracker::new(),
        slots: Slots::new(hello),
        held,
        sender: None,
        tasks: HashMap::new(),
        lease_updates,
        exit: ExitCode::Green,
        give_up_at: None,
        welcomed: false,
    };
    let result = engine.run(signals, updates, from_leases).await;
    engine.leave(link).await;
    runtime.sweep(&[]).await;
    drop(reaper);
    result
}

/// What pods are made of on this host, and for whom.
pub(crate) struct Host<'a> {
    pub(crate) runtime: contract::Runtime,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) owner: &'a Owner,
    /// Who has images that the engine lacks.
    pub(crate) scheduler: Option<&'a Address>,
    /// Whether the agent's folder goes with it.
    pub(crate) temporary: bool,
}

/// Everything the host has to give before any work is done.
pub(crate) async fn prepare(
    host: &Host<'_>,
    state: &State,
) -> Result<(Runtime, Place, Reaper), Error> {
    let owner = host.owner;
    let pods = state.pods(&owner.boot);
    let reaped = if host.temporary { state.folder() } else { &pods };
    state.remove_earlier(owner);
    match host.runtime {
        contract::Runtime::Docker => {
            let docker = Docker::connect(host.endpoint, owner.clone()).await?;
            let docker = match host.scheduler {
                Some(scheduler) => docker.with_images_from(scheduler.clone()),
                None => docker,
            };
            let Facts { platform, id, .. } = docker.facts().await?;
            let place = Place { platform, engine: id };
            let reaper = Reaper::start(owner, reaped, Some(host.endpoint))?;
            Ok((Runtime::Docker(Arc::new(docker)), place, reaper))
        }
        contract::Runtime::Process => {
            let reaper = Reaper::start(owner, reaped, None)?;
            let processes = Processes::new(owner.clone(), pods, reaper.clone());
            let place = Place { platform: platform(), engine: None };
            Ok((Runtime::Process(Arc::new(processes)), place, reaper))
        }
    }
}

/// This host, named as engines name theirs.
fn platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{}/{architecture}", std::env::consts::OS)
}

fn hello(settings: &Settings, platform: String) -> Hello {
    Hello {
        agent: settings.owner.agent.clone(),
        boot: settings.owner.boot.clone(),
        host: settings.host.clone(),
        version: muletrain_proto::VERSION.to_owned(),
        slots: settings.slots,
        runtime: settings.runtime,
        platform,
        labels: std::collections::BTreeMap::new(),
        leases: vec![],
    }
}

struct Engine {
    settings: Settings,
    runtime: Runtime,
    /// Keeps databases, where there is a folder for them.
    warmer: Option<Arc<Warmer>>,
    /// Keeps pods for the leases to come.
    parking: Arc<Parking>,
    /// Pods that no lease will take are on their way out.
    removals: TaskTracker,
    slots: Slots,
    held: watch::Sender<Vec<LeaseKey>>,
    sender: Option<link::Sender>,
    tasks: HashMap<LeaseKey, Task>,
    lease_updates: mpsc::Sender<lease::Update>,
    exit: ExitCode,
    /// When the end of pods is no longer waited for.
    give_up_at: Option<Instant>,
    welcomed: bool,
}

/// The task of a lease, as the loop sees it.
struct Task {
    orders: mpsc::UnboundedSender<Order>,
    /// Bytes of its events that are not acknowledged.
    backlog: watch::Sender<usize>,
}

/// Everything the loop reacts to.
enum Event {
    Link(Update),
    Lease(lease::Update),
    Wish(Wish),
    Sweep,
    Tick,
}

impl Engine {
    async fn run(
        &mut self,
        mut signals: Signals,
        mut link: mpsc::Receiver<Update>,
        mut leases: mpsc::Receiver<lease::Update>,
    ) -> Result<ExitCode, Error> {
        let mut sweeps = tokio::time::interval(SWEEP);
        loop {
            let deadline = earliest(self.slots.deadline(), self.give_up_at);
            let event = tokio::select! {
                Some(update) = link.recv() => Event::Link(update),
                Some(update) = leases.recv() => Event::Lease(update),
                wish = signals.next() => Event::Wish(wish),
                _ = sweeps.tick() => Event::Sweep,
                () = until(deadline) => Event::Tick,
            };
            let now = Instant::now();
            let input = match event {
                Event::Link(update) => self.link(update)?,
                Event::Lease(lease::Update::Event(lease, event)) => Input::Event(lease, event),
                Event::Lease(lease::Update::Removed(lease)) => {
                    self.tasks.remove(&lease);
                    Input::Removed(lease)
                }
                Event::Wish(wish) => self.wish(wish, now),
                Event::Sweep => {
                    self.sweep();
                    continue;
                }
                Event::Tick => Input::Tick,
            };
            if self.handle(now, input) || self.give_up_at.is_some_and(|limit| limit <= now) {
                return Ok(self.exit);
            }
        }
    }

    fn link(&mut self, update: Update) -> Result<Input, Error> {
        match update {
            Update::Opened(sender) => {
                self.sender = Some(sender);
                Ok(Input::Opened)
            }
            Update::Message(message) => {
                if matches!(message, contract::ToAgent::Welcome { .. }) {
                    tracing::info!(scheduler = %self.settings.scheduler, "attached");
                    // The scheduler takes one agent of a name at a time, so from now on every
                    // other boot of this one is known to be dead.
                    self.welcomed = true;
                    self.sweep();
                }
                Ok(Input::Message(message))
            }
            Update::Lost { reason } => {
                self.sender = None;
                tracing::warn!(scheduler = %self.settings.scheduler, reason, "no stream");
                Ok(Input::Lost)
            }
            Update::Refused { reason } => {
                let address = self.settings.scheduler.to_string();
                Err(Error::Refused { address, reason })
            }
        }
    }

    fn wish(&mut self, wish: Wish, now: Instant) -> Input {
        let leaving = self.slots.is_leaving();
        let reason = match wish {
            Wish::Terminate if !leaving => return Input::Drain,
            Wish::Terminate => "the agent was told to stop",
            Wish::Interrupt => {
                self.exit = ExitCode::Interrupted;
                "the agent was interrupted"
            }
            Wish::Detached => "the program that started the agent is gone",
        };
        self.give_up_at = self.give_up_at.or(now.checked_add(STOP_LIMIT));
        Input::Stop { reason: reason.to_owned() }
    }

    /// Does what follows from an input; whether that is to exit.
    fn handle(&mut self, now: Instant, input: Input) -> bool {
        let effects = self.slots.handle(now, input);
        let mut exit = false;
        for effect in effects {
            exit |= effect == Effect::Exit;
            self.perform(effect);
        }
        publish(&self.held, self.slots.held());
        for (lease, task) in &self.tasks {
            publish(&task.backlog, self.slots.backlog(lease));
        }
        exit
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Send(message) => {
                if let Some(sender) = &self.sender {
                    // A stream that broke says so itself, and everything is sent again.
                    let _ = sender.send(message);
                }
            }
            Effect::Start(lease, brief) => {
                let (orders, received) = mpsc::unbounded_channel();
                let (backlog, seen) = watch::channel(0);
                self.tasks.insert(lease.key.clone(), Task { orders, backlog });
                let inbox = lease::Inbox { orders: received, backlog: seen };
                let held = self.slots.live().count().saturating_sub(1);
                let room = (self.settings.slots as usize).saturating_sub(held);
                self.remove(self.parking.crowding(&lease.key.run, room));
                let host = lease::Host {
                    runtime: self.runtime.clone(),
                    warmer: self.warmer.clone(),
                    parking: self.parking.clone(),
                    scheduler: self.settings.scheduler.clone(),
                    updates: self.lease_updates.clone(),
                };
                tokio::spawn(lease::work(host, *lease, brief, inbox));
            }
            Effect::Grant(lease, grant) => self.order(&lease, Order::Grant(grant)),
            Effect::Revoke(lease) => self.order(&lease, Order::Revoke),
            Effect::Stop(lease, reason) => self.order(&lease, Order::Stop(reason)),
            Effect::Forget(run) => self.remove(self.parking.of_run(&run)),
            Effect::Exit => {}
        }
    }

    fn order(&self, lease: &LeaseKey, order: Order) {
        if let Some(task) = self.tasks.get(lease) {
            // A lease that is over has nothing left to obey.
            let _ = task.orders.send(order);
        }
    }

    /// Pods that no lease will take any more.
    fn remove(&self, parked: Vec<Parked>) {
        for parked in parked {
            let (runtime, parking) = (self.runtime.clone(), self.parking.clone());
            self.removals.spawn(async move {
                let home = parked.home.clone();
                parked.end().await;
                runtime.remove(&home).await;
                parking.forget(&home);
            });
        }
    }

    fn sweep(&self) {
        self.remove(self.parking.idle(Instant::now()));
        if self.welcomed {
            let mut live: Vec<LeaseKey> = self.slots.live().cloned().collect();
            live.extend(self.warmer.iter().flat_map(|warmer| warmer.pods()));
            live.extend(self.parking.homes());
            let runtime = self.runtime.clone();
            tokio::spawn(async move { runtime.sweep(&live).await });
        }
    }

    /// Lets the last messages out and ends the stream.
    async fn leave(&mut self, link: JoinHandle<()>) {
        if let Some(warmer) = &self.warmer {
            warmer.leave().await;
        }
        self.remove(self.parking.all());
        self.removals.close();
        // Pods that are still there after this end with their input.
        let _ = tokio::time::timeout(STOP_LIMIT, self.removals.wait()).await;
        self.sender = None;
        let abort = link.abort_handle();
        if tokio::time::timeout(FLUSH_LIMIT, link).await.is_err() {
            abort.abort();
        }
    }
}

/// Tells those who watch, if there is anything new.
fn publish<T: PartialEq>(watched: &watch::Sender<T>, value: T) {
    watched.send_if_modified(|seen| {
        let changed = *seen != value;
        *seen = value;
        changed
    });
}

fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
