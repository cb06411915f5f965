//! The one loop: receive, decide, journal, apply, perform; then again until nothing follows.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use muletrain_proto::blob;
use muletrain_proto::id::{AgentId, RunId, SuiteName};
use muletrain_proto::inventory::Inventory;
use muletrain_proto::journal::Record;
use muletrain_proto::link::{Hello, RunBrief, ToAgent, ToScheduler};
use muletrain_proto::run::{Options, Overview, Secrets, Stop, Submission};
use muletrain_proto::snapshot::Snapshot;
use muletrain_proto::suite::Suite;
use tokio::sync::{mpsc, oneshot};

use crate::handle::{self, Command, Followed, Handle, SubmitError};
use crate::history::History;
use crate::journal;
use crate::pure::decide::{Input, decide};
use crate::pure::fleet::Connection;
use crate::pure::run::Run;
use crate::pure::state::{Change, Effect, State, Step};
use crate::pure::{Moment, advance::advance};
use crate::shelf::Shelf;
use crate::timings;

/// How often the loop looks at the clock when nothing else happens.
const TICK: Duration = Duration::from_millis(500);

/// Commands that may wait before their senders do.
const QUEUE: usize = 1024;

/// The scheduler's loop and what it owns.
pub struct Engine {
    state: State,
    shelf: Shelf,
    history: History,
    secrets: BTreeMap<RunId, Secrets>,
    streams: HashMap<Connection, mpsc::UnboundedSender<Result<ToAgent, String>>>,
    connections: u64,
    started: Instant,
    commands: mpsc::Receiver<Command>,
}

impl Engine {
    /// An engine that keeps its journals under a directory.
    #[must_use]
    pub fn new(runs: PathBuf, history: History) -> (Self, Handle) {
        let (sender, commands) = mpsc::channel(QUEUE);
        let engine = Self {
            state: State::default(),
            shelf: Shelf::new(runs),
            history,
            secrets: BTreeMap::new(),
            streams: HashMap::new(),
            connections: 0,
            started: Instant::now(),
            commands,
        };
        (engine, Handle::new(sender))
    }

    /// Runs until every handle is gone.
    pub async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                _ = tick.tick() => self.take(Input::Tick),
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Submit(submission, reply) => {
                // Whoever asked may have gone; the run goes on.
                let _ = reply.send(self.submit(*submission));
            }
            Command::Attach(hello, reply) => self.attach(hello, reply),
            Command::Heard(connection, agent, message) => match self.state.fleet.get(&agent) {
                Some(known) if known.connection == Some(connection) => {
                    self.take(to_input(agent, *message));
                }
                // A stream that was refused, given up or replaced speaks for nobody. Its end tells
                // an agent that still lives to come again.
                _ => drop(self.streams.remove(&connection)),
            },
            Command::Detach(connection, agent) => {
                self.streams.remove(&connection);
                self.take(Input::Disconnected(connection, agent));
            }
            Command::Stop(run, stop, reply) => {
                let known = self.state.runs.contains_key(&run);
                self.take(Input::Stop(run, stop));
                let _ = reply.send(known);
            }
            Command::TornDown(run, hooks, reply) => {
                let known = self.state.runs.contains_key(&run);
                self.take(Input::TornDown(run, hooks));
                let _ = reply.send(known);
            }
            Command::List(reply) => {
                let _ = reply.send(self.overviews());
            }
            Command::Follow(run, reply) => {
                let _ = reply.send(self.follow(run));
            }
            Command::Images(reply) => {
                let images = self.state.runs.values().flat_map(|run| blob::images(&run.snapshot));
                let _ = reply.send(images.collect());
            }
        }
    }

    fn submit(&mut self, submission: Submission) -> Result<RunId, SubmitError> {
        let Submission { snapshot, options, secrets } = submission;
        handle::check(&snapshot, &options)?;
        let run = self.shelf.create(wall_clock())?;
        let estimates = warn(self.history.estimates(&snapshot.name)).unwrap_or_default();
        let remembered = self.remembered(&snapshot, &options);
        self.secrets.insert(run.clone(), secrets);
        self.take(Input::Submitted {
            run: run.clone(),
            snapshot: Box::new(snapshot),
            options: Box::new(options),
            estimates,
            remembered,
        });
        Ok(run)
    }

    fn remembered(&self, snapshot: &Snapshot, options: &Options) -> BTreeMap<SuiteName, Inventory> {
        // A serial run loads every test module, which counts as executing it.
        if options.coverage.is_some() {
            return BTreeMap::new();
        }
        let inventory = |suite: &Suite| {
            let known =
                self.history.inventory(snapshot, &suite.name, options.labels_of(&suite.name));
            Some((suite.name.clone(), warn(known).flatten()?))
        };
        snapshot.suites.iter().filter_map(inventory).collect()
    }

    fn attach(&mut self, hello: Box<Hello>, reply: oneshot::Sender<(Connection, handle::Outbox)>) {
        self.connections += 1;
        let connection = Connection(self.connections);
        let (sender, outbox) = mpsc::unbounded_channel();
        if reply.send((connection, outbox)).is_ok() {
            self.streams.insert(connection, sender);
            self.take(Input::Connected(connection, hello));
        }
    }

    /// Takes an input and everything that follows from it.
    fn take(&mut self, input: Input) {
        let now = self.now();
        let step = decide(&self.state, now, input);
        self.make(now, step);
        loop {
            let step = advance(&self.state, now);
            if step.is_empty() {
                return;
            }
            self.make(now, step);
        }
    }

    /// Journals a step, then changes the state, then performs the effects.
    fn make(&mut self, now: Moment, step: Step) {
        let mut records: BTreeMap<&RunId, Vec<&Record>> = BTreeMap::new();
        for change in &step.changes {
            if let Change::Journal(run, record) = change {
                records.entry(run).or_default().push(record);
            }
        }
        let mut lost = Vec::new();
        for (run, records) in records {
            if let Err(error) = self.shelf.append(run, wall_clock(), records.into_iter()) {
                lost.push((run.clone(), error));
            }
        }
        for change in &step.changes {
            self.state.apply(now, change);
        }
        for effect in step.effects {
            self.perform(effect);
        }
        for (run, error) in lost {
            self.abandon(&run, &error);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Send(agent, message) => self.send(&agent, message),
            Effect::Brief(agent, id) => {
                let Some(run) = self.state.runs.get(&id) else { return };
                let brief = RunBrief {
                    run: id.clone(),
                    snapshot: (*run.snapshot).clone(),
                    options: (*run.options).clone(),
                    secrets: self.secrets.get(&id).cloned().unwrap_or_default(),
                };
                self.send(&agent, ToAgent::Run(Box::new(brief)));
            }
            Effect::Refuse(connection, reason) => {
                if let Some(stream) = self.streams.remove(&connection) {
                    // A stream that has ended needs no refusal.
                    let _ = stream.send(Err(reason));
                }
            }
            Effect::Remember(run, suite, inventory) => {
                // What a value that is kept secret brings about may be different next time, and
                // so may what could not be imported.
                let is_lasting = |run: &&Run| {
                    inventory.errors.is_empty() && run.snapshot.environment.pass.is_empty()
                };
                if let Some(run) = self.state.runs.get(&run).filter(is_lasting) {
                    let labels = run.options.labels_of(&suite);
                    warn(self.history.remember(&run.snapshot, &suite, labels, &inventory));
                }
            }
            Effect::Archive(run) => self.archive(&run),
        }
    }

    fn send(&mut self, agent: &AgentId, message: ToAgent) {
        let connection = self.state.fleet.get(agent).and_then(|agent| agent.connection);
        if let Some(stream) = connection.and_then(|connection| self.streams.get(&connection)) {
            // A broken stream is noticed where it is read.
            let _ = stream.send(Ok(message));
        }
    }

    fn archive(&mut self, id: &RunId) {
        let Some(run) = self.state.runs.remove(id) else { return };
        self.shelf.note(&run);
        if let Some(path) = self.shelf.path(id).filter(|_| run.stop.is_none()) {
            let times = timings::read(&path);
            warn(self.history.learn(&run.snapshot.name, id.as_str(), &times.estimates));
            if let Some(boot) = times.boot {
                warn(self.history.learn_boot(&run.snapshot.name, id.as_str(), boot));
            }
        }
        self.secrets.remove(id);
        self.shelf.close(id);
    }

    /// Gives up a run whose journal cannot be written: what is not recorded did not happen.
    fn abandon(&mut self, id: &RunId, error: &journal::Error) {
        tracing::error!(run = %id, error = %muletrain_proto::cli::chain(error), "the run is given up");
        if let Some(run) = self.state.runs.remove(id) {
            for held in run.leases.values() {
                let (lease, reason) = (held.lease.key.clone(), "the run is given up".to_owned());
                self.send(&held.place.agent, ToAgent::Revoke { lease, reason });
            }
        }
        self.secrets.remove(id);
        self.shelf.close(id);
    }

    /// Takes up the runs that were not over when the last engine ended, by applying their journals
    /// again. The directory must be this engine's alone: what another one writes at the moment is
    /// not over either.
    pub fn recover(&mut self) {
        for (run, records) in self.shelf.recover() {
            for record in records {
                self.state.apply(0, &Change::Journal(run.clone(), record));
            }
            let passes = |run: &Run| !run.snapshot.environment.pass.is_empty();
            if self.state.runs.get(&run).is_some_and(passes) {
                let reason = "the scheduler was restarted and the values of `[env] pass` are kept \
                              in memory alone; submit the run again"
                    .to_owned();
                self.take(Input::Stop(run, Stop::Infrastructure { reason }));
            }
        }
    }

    fn follow(&mut self, run: Option<RunId>) -> Option<Followed> {
        match run {
            Some(run) => self.shelf.follow(&run),
            None => self.shelf.newest().and_then(|run| self.shelf.follow(&run)),
        }
    }

    fn overviews(&self) -> Vec<Overview> {
        let live = self.state.runs.values().map(|run| self.shelf.overview(run));
        self.shelf.closed_overviews().chain(live).collect()
    }

    fn now(&self) -> Moment {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(Moment::MAX)
    }
}

fn to_input(agent: AgentId, message: ToScheduler) -> Input {
    match message {
        ToScheduler::Hello(_) => Input::Tick,
        ToScheduler::Credit(count) => Input::Credited(agent, count),
        ToScheduler::Heartbeat(leases) => Input::Beat(agent, leases),
        ToScheduler::Event(report) => Input::Reported(agent, Box::new(report)),
        ToScheduler::Draining => Input::Draining(agent),
    }
}

/// The history is an aid: what goes wrong with it is told and then does without it.
fn warn<T>(result: Result<T, crate::history::Error>) -> Option<T> {
    result.inspect_err(|error| tracing::warn!("{}", muletrain_proto::cli::chain(error))).ok()
}

fn wall_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
