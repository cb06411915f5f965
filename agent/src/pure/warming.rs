//! The conversation with a pod that is asked whether kept databases fit, or that makes some, as a
//! state machine. It ends as soon as the answer is known; the pod is taken away then in any case.

use std::time::{Duration, Instant};

use muletrain_proto::event::{Event, Failed, Phase};
use muletrain_proto::outcome::{Death, Ending, Failure as Raised};
use muletrain_proto::seconds::Seconds;
use serde_json::Value;

use crate::pure::conversation::{DATABASES_LIMIT, LINGER_LIMIT, QUIET_LIMIT};
use crate::pure::harness::{self, Candidate, Command, Exited, Hello, Kept, Line};
use crate::pure::kept::{CONTENT_LIMIT, Database};
use crate::pure::outcome::{self, Evidence, Exit};
use crate::pure::wording::silence;

/// How long a pod may take to compare files.
pub const MATCH_LIMIT: Duration = Duration::from_secs(2 * 60);

/// Characters of an exception that a reason holds.
const REASON_LIMIT: usize = 300;

/// What is wanted of the pod.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// To say which kept databases fit the project in it.
    Match {
        /// Absolute path of the project's root.
        root: String,
        /// What is kept.
        candidates: Vec<Candidate>,
    },
    /// To set databases up.
    Make(Box<Hello>),
}

/// What the conversation reacts to.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The harness said something.
    Line(Result<Line, harness::Error>),
    /// The pod's process is gone, and all it said went before.
    Exited(Exit),
    /// The time of [`Warming::deadline`] has come.
    Tick,
}

/// What follows from an input.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Nothing.
    Wait,
    /// Tell the harness.
    Say(Command),
    /// The answer is known.
    End(Result<Answer, Failure>),
}

/// What a pod was there for.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The candidate that fits.
    Matched(Option<String>),
    /// Databases.
    Made(Made),
}

/// Databases that were set up.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Made {
    /// What they hold.
    pub databases: Vec<Database>,
    /// What they were made from.
    pub manifest: Value,
    /// Time it took.
    pub seconds: Seconds,
}

/// Why there are no kept databases.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The project's databases cannot be set up, as the harness says.
    #[error("{}", words(.0))]
    Reported(Box<Failed>),
    /// The process in which they were set up died on a healthy host.
    #[error("the pod that sets databases up died: {}", .0.reason)]
    Died(Box<Death>),
    /// What was set up is nothing that could be kept, and the next time neither.
    #[error("{reason}")]
    Unkept {
        /// Why.
        reason: String,
    },
    /// Something else than the project.
    #[error("{reason}")]
    Other {
        /// What happened.
        reason: String,
    },
}

impl Failure {
    /// Something else than the project.
    pub(crate) fn other(reason: impl Into<String>) -> Self {
        Self::Other { reason: reason.into() }
    }

    /// Nothing that could be kept.
    pub(crate) fn unkept(reason: impl Into<String>) -> Self {
        Self::Unkept { reason: reason.into() }
    }

    /// Whether another try may end otherwise.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Other { .. })
    }
}

/// The state of one such pod.
#[derive(Debug)]
pub struct Warming {
    stage: Stage,
    deadline: Instant,
}

#[derive(Debug)]
enum Stage {
    Matching { ids: Vec<String> },
    Booting,
    Making { databases: Vec<Database>, weight: usize },
    Closing(Made),
    Dying(Box<Exited>),
}

impl Warming {
    /// The conversation with a pod that was just started, and what to tell it first.
    #[must_use]
    pub fn begin(now: Instant, task: Task) -> (Self, Command) {
        let (stage, command) = match task {
            Task::Match { root, candidates } => {
                let ids = candidates.iter().map(|candidate| candidate.id.clone()).collect();
                (Stage::Matching { ids }, Command::Match { root, candidates })
            }
            Task::Make(hello) => (Stage::Booting, Command::Hello(hello)),
        };
        let mut warming = Self { stage, deadline: now };
        warming.watch(now);
        (warming, command)
    }

    /// When to send [`Input::Tick`], unless something else happens before.
    #[must_use]
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What follows from an input.
    pub fn handle(&mut self, now: Instant, input: Input) -> Step {
        match input {
            Input::Line(Ok(Line::Exited(exited))) => self.enter(now, Stage::Dying(exited)),
            // What was on its way when the worker ended changes nothing.
            Input::Line(_) if matches!(self.stage, Stage::Dying(_)) => Step::Wait,
            Input::Line(Ok(Line::Event(Event::Failed(failed)))) => {
                Step::End(Err(Failure::Reported(Box::new(failed))))
            }
            Input::Line(Ok(Line::Event(event))) => self.event(now, &event),
            Input::Line(Ok(Line::Kept(kept))) => self.kept(now, kept),
            Input::Line(Ok(Line::Idle)) => out_of_turn(),
            Input::Line(Ok(Line::Piece(piece))) => {
                fail(format!("the harness sent {}, which nobody asked for", piece.name))
            }
            // Nothing else that is told while databases are made is that large.
            Input::Line(Err(harness::Error::TooLong))
                if matches!(self.stage, Stage::Making { .. }) =>
            {
                too_large()
            }
            Input::Line(Err(error)) => fail(error.to_string()),
            Input::Exited(exit) => self.exited(&exit),
            Input::Tick if now < self.deadline => Step::Wait,
            Input::Tick => self.overdue(),
        }
    }

    fn event(&mut self, now: Instant, event: &Event) -> Step {
        match (&mut self.stage, event) {
            (Stage::Booting, Event::Booted(_)) => {
                self.enter(now, Stage::Making { databases: vec![], weight: 0 });
                Step::Say(Command::Warm)
            }
            (Stage::Closing(made), Event::Closed(_)) => {
                Step::End(Ok(Answer::Made(std::mem::take(made))))
            }
            // Commands run before the project is loaded and after everything else.
            (_, Event::Hook(_)) => {
                self.watch(now);
                Step::Wait
            }
            _ => out_of_turn(),
        }
    }

    fn kept(&mut self, now: Instant, kept: Kept) -> Step {
        match (&mut self.stage, kept) {
            (Stage::Matching { ids }, Kept::Matched(id)) => match id {
                Some(id) if !ids.contains(&id) => fail("the harness named an unknown candidate"),
                id => Step::End(Ok(Answer::Matched(id))),
            },
            (Stage::Making { databases, weight }, Kept::Database(database)) => {
                *weight = weight.saturating_add(database.weight());
                if *weight > CONTENT_LIMIT {
                    return too_large();
                }
                if databases.iter().any(|known| known.alias == database.alias) {
                    return fail("the harness told a database twice");
                }
                databases.push(*database);
                Step::Wait
            }
            (Stage::Making { databases, .. }, Kept::Warmed { manifest, seconds }) => {
                let made = Made { databases: std::mem::take(databases), manifest, seconds };
                self.enter(now, Stage::Closing(made));
                Step::Say(Command::Finish)
            }
            _ => out_of_turn(),
        }
    }

    fn exited(&self, exit: &Exit) -> Step {
        let exited = match &self.stage {
            Stage::Dying(exited) => Some(exited.as_ref()),
            _ => None,
        };
        let evidence = Evidence { exited, exit, running: None, memory_limit: None };
        Step::End(Err(match outcome::ending(evidence) {
            Ending::Crashed(death) => Failure::Died(Box::new(death)),
            Ending::Infrastructure { reason } => Failure::Other { reason },
            ending => Failure::other(format!("the pod that sets databases up ended: {ending:?}")),
        }))
    }

    fn overdue(&self) -> Step {
        let phase = match &self.stage {
            Stage::Matching { .. } => {
                let minutes = MATCH_LIMIT.as_secs() / 60;
                return fail(format!(
                    "files were not compared with those of kept databases within {minutes} minutes"
                ));
            }
            Stage::Dying(_) => {
                let reason = "the pod outlived the process it was there for".to_owned();
                return self.exited(&Exit::Lost { reason });
            }
            Stage::Booting => Phase::Boot,
            Stage::Making { .. } => Phase::Databases,
            Stage::Closing(_) => Phase::Teardown,
        };
        Step::End(Err(Failure::Reported(Box::new(silence(phase)))))
    }

    fn enter(&mut self, now: Instant, stage: Stage) -> Step {
        self.stage = stage;
        self.watch(now);
        Step::Wait
    }

    fn watch(&mut self, now: Instant) {
        let limit = match self.stage {
            Stage::Matching { .. } => MATCH_LIMIT,
            Stage::Booting | Stage::Closing(_) => QUIET_LIMIT,
            Stage::Making { .. } => DATABASES_LIMIT,
            Stage::Dying(_) => LINGER_LIMIT,
        };
        self.deadline = now.checked_add(limit).unwrap_or(now);
    }
}

fn fail(reason: impl Into<String>) -> Step {
    Step::End(Err(Failure::other(reason)))
}

fn too_large() -> Step {
    let limit = CONTENT_LIMIT >> 20;
    let reason = format!("the databases hold more than {limit} MiB, packed");
    Step::End(Err(Failure::unkept(reason)))
}

fn out_of_turn() -> Step {
    fail("the harness that sets databases up spoke out of turn")
}

/// The first line of what was raised.
fn words(failed: &Failed) -> String {
    let doing = match failed.phase {
        Phase::Databases => "setting the databases up",
        _ => "loading the project",
    };
    let raised = failed.failures.first().map(|Raised { exception, message, .. }| {
        let line = message.lines().next().unwrap_or_default();
        format!(": {exception}: {line}").chars().take(REASON_LIMIT).collect::<String>()
    });
    format!("{doing} failed{}", raised.unwrap_or_default())
}

#[cfg(test)]
#[path = "warming_tests.rs"]
mod tests;
