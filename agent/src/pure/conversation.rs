//! One lease, from the start of its pod to its last event, as a state machine.
//!
//! Inputs are what the harness says, what the scheduler wants and what time it is; outputs are
//! commands, events and the wish to kill. Whatever happens, the last event is the pod's ending
//! and there is exactly one.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use muletrain_proto::event::{Booted, Event, LimitOf, Phase, PodStarted, TimedOut};
use muletrain_proto::id::TestId;
use muletrain_proto::lease::{Grant, Work};
use muletrain_proto::outcome::{Ending, Output as Printed};
use muletrain_proto::seconds::Seconds;

pub use crate::pure::exchange::{Input, Output};
use crate::pure::harness::{self, Command, Exited, Hello, Line};
use crate::pure::kept::Database;
use crate::pure::outcome::{self, Evidence, Exit};
pub use crate::pure::patience::{
    DATABASES_LIMIT, KILL_LIMIT, LINGER_LIMIT, QUIET_LIMIT, STOP_LIMIT, TIMEOUT_GRACE,
};
use crate::pure::wording::{name, silence};

/// The state of one lease.
#[derive(Debug)]
pub struct Conversation {
    work: Work,
    hello: Hello,
    memory_limit: Option<u64>,
    databases: Vec<Database>,
    /// When the time of the run is up.
    run_ends: Option<Instant>,
    stage: Stage,
    grants: VecDeque<Grant>,
    granted: u32,
    running: Option<(TestId, u32)>,
    deadline: Option<Instant>,
    /// What the pod said once the project was loaded.
    booted: Option<Booted>,
    /// Nothing was heard yet from a pod of an earlier lease.
    is_unproven: bool,
    is_parked: bool,
}

#[derive(Debug)]
enum Stage {
    Starting,
    Booting,
    Collecting,
    Combining,
    Planning,
    Preparing,
    Idle,
    Running { grant: u32, last: bool },
    Closing,
    Dying { fate: Fate, killed: bool },
    Ended,
}

/// What was decided before the process was gone.
#[derive(Debug)]
enum Fate {
    Known(Ending),
    Exited(Box<Exited>),
    Protocol(String),
}

impl Conversation {
    /// The conversation of a lease whose pod is about to be started.
    #[must_use]
    pub fn new(work: Work, hello: Hello, memory_limit: Option<u64>) -> Self {
        Self {
            work,
            hello,
            memory_limit,
            databases: vec![],
            run_ends: None,
            stage: Stage::Starting,
            grants: VecDeque::new(),
            granted: 0,
            running: None,
            deadline: None,
            booted: None,
            is_unproven: false,
            is_parked: false,
        }
    }

    /// The same, of a run whose time will be up.
    #[must_use]
    pub fn until(self, run_ends: Option<Instant>) -> Self {
        Self { run_ends, ..self }
    }

    /// When to send [`Input::Tick`], unless something else happens before.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// What the pod was told first.
    #[must_use]
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// What the pod said once the project was loaded, where it can take another lease.
    #[must_use]
    pub fn parked(&self) -> Option<&Booted> {
        self.booted.as_ref().filter(|_| self.is_parked)
    }

    /// Whether the last event is out.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Ended)
    }

    /// What follows from an input.
    pub fn handle(&mut self, now: Instant, input: Input) -> Vec<Output> {
        match (&self.stage, input) {
            (Stage::Ended, _) => vec![],
            (_, Input::Revoke) => self.stop(now, Ending::Revoked),
            (_, Input::Stop { reason }) => self.stop(now, Ending::Infrastructure { reason }),
            (_, Input::NotStarted { reason }) => self.end(Ending::Infrastructure { reason }),
            (Stage::Starting, Input::Warming(step)) => vec![Output::Event(Event::Warming(step))],
            (Stage::Starting, Input::Kept(databases)) => {
                self.databases = databases;
                vec![]
            }
            (Stage::Starting, Input::Started(started)) => {
                self.enter(now, Stage::Booting);
                let hello = Command::Hello(Box::new(self.hello.clone()));
                vec![Output::Event(Event::PodStarted(started)), Output::Command(hello)]
            }
            (Stage::Starting, Input::Resumed(started, booted)) => {
                self.is_unproven = true;
                self.resume(now, started, booted)
            }
            (_, Input::Warming(_) | Input::Kept(_) | Input::Started(_) | Input::Resumed(..)) => {
                vec![]
            }
            (_, Input::Grant(grant)) => self.grant(now, grant),
            (_, Input::Line(line)) => self.line(now, line),
            (_, Input::Exited(exit)) => self.exited(&exit),
            (_, Input::Tick) => match self.deadline {
                Some(deadline) if deadline <= now => self.overdue(now),
                _ => vec![],
            },
        }
    }

    fn grant(&mut self, now: Instant, grant: Grant) -> Vec<Output> {
        // A number seen before is a repetition after a lost connection.
        if grant.number <= self.granted || self.work.app().is_none() {
            return vec![];
        }
        self.granted = grant.number;
        self.grants.push_back(grant);
        match self.stage {
            Stage::Idle => self.next_grant(now),
            _ => vec![],
        }
    }

    fn next_grant(&mut self, now: Instant) -> Vec<Output> {
        let Some(grant) = self.grants.pop_front() else {
            self.enter(now, Stage::Idle);
            return vec![];
        };
        let Grant { number: grant, tests, last, ordered } = grant;
        // Nothing was left for this pod.
        if last && tests.as_ref().is_some_and(Vec::is_empty) {
            return self.finish(now);
        }
        self.enter(now, Stage::Running { grant, last });
        vec![Output::Command(Command::Run { grant, tests, ordered, last })]
    }

    /// It goes on behind `booted`, which took this lease no time.
    fn resume(&mut self, now: Instant, started: PodStarted, booted: Booted) -> Vec<Output> {
        let event = Event::Booted(Booted { seconds: Seconds::ZERO, ..booted.clone() });
        self.booted = Some(booted);
        let mut outputs = vec![Output::Event(Event::PodStarted(started)), Output::Event(event)];
        outputs.extend(self.begin(now));
        outputs
    }

    fn line(&mut self, now: Instant, line: Result<Line, harness::Error>) -> Vec<Output> {
        self.is_unproven = false;
        let event = match (&self.stage, line) {
            (Stage::Dying { fate: Fate::Known(Ending::Closed), killed: false }, Ok(Line::Idle)) => {
                self.is_parked = true;
                return self.end(Ending::Closed);
            }
            (Stage::Dying { fate: Fate::Known(Ending::Closed), killed: false }, _) => {
                return self
                    .protocol_error(now, "the harness spoke after its last word".to_owned());
            }
            // What is around the tests goes on after their end, whatever that was.
            (Stage::Dying { killed: false, .. }, Ok(Line::Event(event @ Event::Hook(_)))) => {
                self.watch(now);
                return vec![Output::Event(event)];
            }
            (Stage::Dying { killed: false, .. }, Ok(Line::Piece(piece))) => {
                self.watch(now);
                return vec![Output::Take(piece)];
            }
            // The last word was another one; what was on its way does not change it.
            (Stage::Dying { .. }, _) => return vec![],
            (_, Err(error)) => return self.protocol_error(now, error.to_string()),
            (_, Ok(Line::Exited(exited))) => {
                self.enter(now, Stage::Dying { fate: Fate::Exited(exited), killed: false });
                return vec![];
            }
            (_, Ok(Line::Kept(_) | Line::Idle)) => {
                let message = "the harness spoke of what nobody had asked for".to_owned();
                return self.protocol_error(now, message);
            }
            (_, Ok(Line::Piece(piece))) => {
                self.watch(now);
                return vec![Output::Take(piece)];
            }
            (_, Ok(Line::Event(event))) => event,
        };
        match self.follow(now, &event) {
            Some(mut outputs) => {
                outputs.insert(0, Output::Event(event));
                outputs
            }
            None => {
                let message = format!("the harness said {} at the wrong time", name(&event));
                self.protocol_error(now, message)
            }
        }
    }

    /// What a harness's event leads to; `None` where it has no place now.
    fn follow(&mut self, now: Instant, event: &Event) -> Option<Vec<Output>> {
        let last_word = |ending| Stage::Dying { fate: Fate::Known(ending), killed: false };
        match (&self.stage, event) {
            (Stage::Booting, Event::Booted(booted)) => {
                self.booted = Some(booted.clone());
                Some(self.begin(now))
            }
            (Stage::Collecting, Event::Collected(_)) => Some(self.finish(now)),
            (Stage::Combining, Event::Combined(_)) => Some(self.finish(now)),
            (Stage::Starting, Event::Hook(_)) => None,
            (_, Event::Hook(_)) | (Stage::Closing, Event::Warnings(_) | Event::Fixture(_)) => {
                self.watch(now);
                Some(vec![])
            }
            (Stage::Planning, Event::Planned(_)) => {
                self.enter(now, Stage::Preparing);
                Some(vec![])
            }
            (Stage::Preparing, Event::Ready(_)) => Some(self.next_grant(now)),
            (Stage::Running { .. }, Event::Started { test, r#try }) => {
                self.running = Some((test.clone(), *r#try));
                self.watch(now);
                Some(vec![])
            }
            (Stage::Running { .. }, Event::Found(_)) => Some(vec![]),
            (Stage::Running { .. }, Event::Finished(_) | Event::Fixture(_) | Event::Class(_)) => {
                self.running = None;
                self.watch(now);
                Some(vec![])
            }
            (Stage::Running { grant, last }, Event::Done { grant: done }) if grant == done => {
                self.running = None;
                Some(if *last { self.finish(now) } else { self.next_grant(now) })
            }
            (Stage::Running { .. }, Event::TimedOut(_)) => {
                self.enter(now, last_word(Ending::TimedOut));
                Some(vec![])
            }
            (Stage::Closing, Event::Closed(_)) => {
                self.enter(now, last_word(Ending::Closed));
                Some(vec![])
            }
            (Stage::Starting, _) => None,
            (_, Event::Failed(_)) => {
                self.enter(now, last_word(Ending::Failed));
                Some(vec![])
            }
            _ => None,
        }
    }

    fn begin(&mut self, now: Instant) -> Vec<Output> {
        let (stage, command) = match &self.work {
            Work::Collect { labels } => {
                (Stage::Collecting, Command::Collect { labels: labels.clone() })
            }
            Work::Combine { parts } => {
                let parts = parts.clone();
                self.enter(now, Stage::Combining);
                return vec![Output::Deliver(parts), Output::Command(Command::Combine)];
            }
            Work::Run { app, labels, tests } => {
                let (app, labels, tests) = (app.clone(), labels.clone(), tests.clone());
                let databases = std::mem::take(&mut self.databases);
                let left = |end: Instant| end.saturating_duration_since(now).into();
                let time_left = self.run_ends.map(left);
                (Stage::Planning, Command::Assign { app, labels, tests, databases, time_left })
            }
        };
        self.enter(now, stage);
        vec![Output::Command(command)]
    }

    fn finish(&mut self, now: Instant) -> Vec<Output> {
        self.enter(now, Stage::Closing);
        vec![Output::Command(Command::Finish)]
    }

    fn protocol_error(&mut self, now: Instant, message: String) -> Vec<Output> {
        self.kill(now, Fate::Protocol(message))
    }

    fn exited(&mut self, exit: &Exit) -> Vec<Output> {
        let running = self.running.as_ref().map(|(test, _)| test);
        if self.is_unproven {
            // It may have ended before this lease had it, for whatever reason.
            let reason = "the pod that was kept for this lease ended before it answered".to_owned();
            return self.end(Ending::Infrastructure { reason });
        }
        let evidence = |exited| Evidence { exited, exit, running, memory_limit: self.memory_limit };
        let ending = match &self.stage {
            Stage::Dying { fate: Fate::Known(ending), .. } => ending.clone(),
            Stage::Dying { fate: Fate::Exited(exited), .. } => {
                outcome::ending(evidence(Some(exited)))
            }
            Stage::Dying { fate: Fate::Protocol(message), .. } => {
                outcome::protocol_death(message.clone(), running, exit)
            }
            _ => outcome::ending(evidence(None)),
        };
        self.end(ending)
    }

    /// The deadline has passed.
    fn overdue(&mut self, now: Instant) -> Vec<Output> {
        let phase = match &self.stage {
            Stage::Booting => Phase::Boot,
            Stage::Collecting | Stage::Planning | Stage::Combining => Phase::Collect,
            Stage::Preparing => Phase::Databases,
            Stage::Running { .. } => match self.running.clone() {
                Some((test, r#try)) => return self.time_out(now, test, r#try),
                None => Phase::Run,
            },
            Stage::Closing => Phase::Teardown,
            Stage::Dying { killed: false, .. } => {
                if let Stage::Dying { killed, .. } = &mut self.stage {
                    *killed = true;
                }
                self.watch(now);
                return vec![Output::Kill];
            }
            Stage::Dying { killed: true, .. } => {
                let reason = format!(
                    "the pod was killed and its end was not confirmed within {} s",
                    KILL_LIMIT.as_secs()
                );
                return self.exited(&Exit::Lost { reason });
            }
            Stage::Starting | Stage::Idle | Stage::Ended => return vec![],
        };
        let mut outputs = vec![Output::Event(Event::Failed(silence(phase)))];
        outputs.extend(self.kill(now, Fate::Known(Ending::Failed)));
        outputs
    }

    /// The harness did not end a test that is over its limit, so the agent does.
    fn time_out(&mut self, now: Instant, test: TestId, r#try: u32) -> Vec<Output> {
        let seconds = self.hello.test_timeout.unwrap_or(Seconds::ZERO);
        let stacks = "the harness did not answer, so there are no stacks".to_owned();
        let output = Printed::default();
        let event = Event::TimedOut(TimedOut {
            test,
            r#try,
            seconds,
            stacks,
            output,
            limit_of: LimitOf::Test,
            tests: vec![],
        });
        let mut outputs = vec![Output::Event(event)];
        outputs.extend(self.kill(now, Fate::Known(Ending::TimedOut)));
        outputs
    }

    fn kill(&mut self, now: Instant, fate: Fate) -> Vec<Output> {
        self.enter(now, Stage::Dying { fate, killed: true });
        vec![Output::Kill]
    }

    /// Lets the pod do what is left to do around its tests, for a moment, and ends it.
    fn stop(&mut self, now: Instant, ending: Ending) -> Vec<Output> {
        // What follows its last word is left to do as well, unless it was told to stop already.
        let can_stop = match &self.stage {
            Stage::Starting => false,
            Stage::Dying { fate, killed } => {
                let is_its_own =
                    matches!(fate, Fate::Known(Ending::Closed | Ending::Failed | Ending::TimedOut));
                is_its_own && !killed
            }
            _ => true,
        };
        if !can_stop || !(self.hello.around.has_an_end() || self.hello.db_token.is_some()) {
            return self.abandon(ending);
        }
        self.running = None;
        self.stage = Stage::Dying { fate: Fate::Known(ending), killed: false };
        self.deadline = now.checked_add(STOP_LIMIT);
        vec![Output::Command(Command::Stop)]
    }

    fn abandon(&mut self, ending: Ending) -> Vec<Output> {
        let mut outputs = vec![Output::Kill];
        outputs.extend(self.end(ending));
        outputs
    }

    fn end(&mut self, ending: Ending) -> Vec<Output> {
        self.stage = Stage::Ended;
        self.deadline = None;
        vec![Output::Event(Event::Ended(ending))]
    }

    fn enter(&mut self, now: Instant, stage: Stage) {
        self.stage = stage;
        self.watch(now);
    }

    /// Sets the deadline that the present stage has from now on.
    fn watch(&mut self, now: Instant) {
        let limit = match &self.stage {
            Stage::Starting | Stage::Idle | Stage::Ended => None,
            Stage::Preparing => Some(DATABASES_LIMIT),
            Stage::Running { .. } if self.running.is_some() => self.test_limit(),
            // The harness holds fixtures to the limit of a test.
            Stage::Running { .. } => self.test_limit().max(Some(QUIET_LIMIT)),
            Stage::Booting
            | Stage::Collecting
            | Stage::Combining
            | Stage::Planning
            | Stage::Closing => Some(QUIET_LIMIT.max(self.hello.around.limit())),
            // A pod that is to stop has the time it was given then, and no more.
            Stage::Dying {
                fate: Fate::Known(Ending::Revoked | Ending::Infrastructure { .. }),
                killed: false,
            } => return,
            Stage::Dying { killed: false, .. } if self.hello.around.has_an_end() => {
                Some(self.hello.around.limit())
            }
            Stage::Dying { killed: false, .. } => Some(LINGER_LIMIT),
            Stage::Dying { killed: true, .. } => Some(KILL_LIMIT),
        };
        self.deadline = limit.and_then(|limit| now.checked_add(limit));
    }

    fn test_limit(&self) -> Option<Duration> {
        let limit = self.hello.test_timeout?.duration();
        Some(limit.saturating_add(TIMEOUT_GRACE))
    }
}

#[cfg(test)]
#[path = "conversation_tests.rs"]
mod tests;
