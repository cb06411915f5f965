//! Scenarios of pods that are asked about kept databases or make some, and what holds of all.

use muletrain_proto::event::{Booted, Closed, Ready};
use muletrain_proto::outcome::{FailureKind, Output as Printed};
use proptest::prelude::*;

use super::*;
use crate::pure::pod;
use crate::samples::{brief, image, kept, lease};

/// A conversation, and the clock it is told.
struct Talk {
    warming: Warming,
    now: Instant,
}

impl Talk {
    fn of(task: Task) -> Self {
        let now = Instant::now();
        Self { warming: Warming::begin(now, task).0, now }
    }

    fn matching() -> Self {
        let candidate = |id: &str| Candidate { id: id.to_owned(), manifest: Value::Null };
        let candidates = vec![candidate("a"), candidate("b")];
        Self::of(Task::Match { root: "/app".to_owned(), candidates })
    }

    fn making() -> Self {
        let hello = pod::hello(&lease(1), &brief(image()), "/app".to_owned());
        Self::of(Task::Make(Box::new(hello)))
    }

    fn tell(&mut self, input: Input) -> Step {
        self.warming.handle(self.now, input)
    }

    fn say(&mut self, event: Event) -> Step {
        self.tell(Input::Line(Ok(Line::Event(event))))
    }

    fn keep(&mut self, kept: Kept) -> Step {
        self.tell(Input::Line(Ok(Line::Kept(kept))))
    }

    /// Lets the deadline pass.
    fn wait(&mut self) -> (Duration, Step) {
        let waited = self.warming.deadline() - self.now;
        self.now += waited;
        (waited, self.tell(Input::Tick))
    }
}

fn booted() -> Event {
    let text = String::new();
    let (python, django, runner) = (text.clone(), text.clone(), text);
    Event::Booted(Booted { python, django, runner, seconds: Seconds::ZERO })
}

fn closed() -> Event {
    Event::Closed(Closed { tests: 0, peak_kib: None })
}

fn database(alias: &str, bytes: usize) -> Kept {
    let template = kept(3.0).databases[0].clone();
    let data = Some("x".repeat(bytes));
    Kept::Database(Box::new(Database { alias: alias.to_owned(), data, ..template }))
}

fn warmed() -> Kept {
    Kept::Warmed { manifest: serde_json::json!({"version": 1}), seconds: Seconds::ZERO }
}

fn failed(phase: Phase) -> Event {
    let failure = Raised {
        kind: FailureKind::Error,
        exception: "django.db.utils.OperationalError".to_owned(),
        message: "no such column: shop_cart.size\nLINE 1".to_owned(),
        traceback: String::new(),
        subtest: None,
    };
    Event::Failed(Failed { phase, failures: vec![failure], output: Printed::default() })
}

fn gone(status: i32) -> Input {
    let (status, signal, stderr) = (Some(status), None, String::new());
    Input::Exited(Exit::Process { status, signal, out_of_memory: false, stderr })
}

fn worker_died(signal: i32) -> Input {
    let (signal, running, output) = (Some(signal), None, Printed::default());
    Input::Line(Ok(Line::Exited(Box::new(Exited { status: None, signal, running, output }))))
}

fn reason(step: &Step) -> String {
    match step {
        Step::End(Err(failure)) => failure.to_string(),
        step => panic!("{step:?}"),
    }
}

#[test]
fn databases_are_made_from_beginning_to_end() {
    let mut talk = Talk::making();
    assert_eq!(talk.say(booted()), Step::Say(Command::Warm));
    assert_eq!(talk.keep(database("default", 1)), Step::Wait);
    assert_eq!(talk.keep(database("search", 1)), Step::Wait);
    assert_eq!(talk.keep(warmed()), Step::Say(Command::Finish));
    let Step::End(Ok(Answer::Made(made))) = talk.say(closed()) else { panic!() };
    let aliases: Vec<&str> = made.databases.iter().map(|it| it.alias.as_str()).collect();
    assert_eq!((aliases, made.manifest["version"].as_u64()), (vec!["default", "search"], Some(1)));
}

#[test]
fn a_pod_is_told_what_it_is_for_at_once() {
    let root = "/app".to_owned();
    let (_, command) = Warming::begin(Instant::now(), Task::Match { root, candidates: vec![] });
    assert!(matches!(command, Command::Match { .. }));
    let hello = pod::hello(&lease(1), &brief(image()), "/app".to_owned());
    let (_, command) = Warming::begin(Instant::now(), Task::Make(Box::new(hello.clone())));
    assert_eq!(command, Command::Hello(Box::new(hello)));
}

#[test]
fn a_candidate_fits_or_none_does() {
    for id in [Some("b".to_owned()), None] {
        let said = Talk::matching().keep(Kept::Matched(id.clone()));
        assert_eq!(said, Step::End(Ok(Answer::Matched(id))));
    }
    let said = Talk::matching().keep(Kept::Matched(Some("../../etc".to_owned())));
    assert_eq!(reason(&said), "the harness named an unknown candidate");
}

#[test]
fn databases_that_cannot_be_set_up_are_the_projects_own_affair() {
    let mut talk = Talk::making();
    talk.say(booted());
    let said = talk.say(failed(Phase::Databases));
    assert_eq!(
        reason(&said),
        "setting the databases up failed: django.db.utils.OperationalError: \
         no such column: shop_cart.size"
    );
    assert!(matches!(said, Step::End(Err(Failure::Reported(_)))));
}

#[test]
fn nothing_is_kept_of_a_pod_that_ends_without_its_sentinel() {
    let mut talk = Talk::making();
    talk.say(booted());
    talk.keep(database("default", 1));
    talk.keep(warmed());
    let said = talk.tell(gone(0));
    assert!(matches!(said, Step::End(Err(Failure::Died(_)))), "{said:?}");
}

#[test]
fn a_worker_that_died_is_named_once_its_pod_is_gone() {
    let mut talk = Talk::making();
    talk.say(booted());
    assert_eq!(talk.tell(worker_died(11)), Step::Wait);
    assert_eq!(talk.keep(warmed()), Step::Wait, "what was on its way");
    let died = "the pod that sets databases up died: segmentation fault (signal 11)";
    assert_eq!(reason(&talk.tell(gone(0))), died);

    let mut talk = Talk::making();
    talk.tell(worker_died(11));
    assert_eq!(talk.wait().0, LINGER_LIMIT, "a pod that lives on is not waited for long");
}

#[test]
fn an_engine_that_fails_is_not_the_projects_fault() {
    let lost = Exit::Lost { reason: "the engine went away".to_owned() };
    let said = Talk::making().tell(Input::Exited(lost));
    assert_eq!(said, fail("the engine went away"));
}

#[test]
fn what_is_too_large_or_told_twice_is_not_kept() {
    let mut talk = Talk::making();
    talk.say(booted());
    assert_eq!(talk.keep(database("default", CONTENT_LIMIT / 2)), Step::Wait);
    let said = talk.keep(database("search", CONTENT_LIMIT / 2));
    assert_eq!(said, too_large());

    let mut talk = Talk::making();
    talk.say(booted());
    assert_eq!(talk.tell(Input::Line(Err(harness::Error::TooLong))), too_large());

    let mut talk = Talk::making();
    talk.say(booted());
    talk.keep(database("default", 1));
    let twice = talk.keep(database("default", 1));
    assert_eq!(twice, fail("the harness told a database twice"));
}

#[test]
fn a_word_out_of_turn_ends_it() {
    let ready = Ready { databases: vec![], seconds: Seconds::ZERO, output: Printed::default() };
    let out_of_turn = [
        Talk::matching().say(booted()),
        Talk::matching().keep(warmed()),
        Talk::making().keep(Kept::Matched(None)),
        Talk::making().keep(database("default", 1)),
        Talk::making().say(closed()),
        Talk::making().say(Event::Ready(ready)),
    ];
    for said in out_of_turn {
        assert_eq!(reason(&said), "the harness that sets databases up spoke out of turn");
    }
}

#[test]
fn silence_ends_it() {
    assert_eq!(Talk::matching().wait().0, MATCH_LIMIT);
    let mut talk = Talk::making();
    let (waited, said) = talk.wait();
    assert_eq!(waited, QUIET_LIMIT);
    assert!(reason(&said).starts_with("loading the project failed: TimeoutError"), "{said:?}");

    let mut talk = Talk::making();
    talk.say(booted());
    talk.now += DATABASES_LIMIT / 2;
    talk.keep(database("default", 1));
    assert_eq!(talk.wait().0, DATABASES_LIMIT / 2, "the limit is one of all databases");
}

fn any_input() -> impl Strategy<Value = Input> {
    let line = prop_oneof![
        Just(Line::Event(booted())),
        Just(Line::Event(closed())),
        Just(Line::Event(failed(Phase::Boot))),
        Just(Line::Kept(database("default", 1))),
        Just(Line::Kept(warmed())),
        Just(Line::Kept(Kept::Matched(Some("a".to_owned())))),
    ];
    prop_oneof![
        8 => line.prop_map(|line| Input::Line(Ok(line))),
        1 => Just(worker_died(9)),
        1 => Just(Input::Line(Err(harness::Error::Protocol { found: 2 }))),
        1 => Just(gone(0)),
        1 => Just(Input::Tick),
    ]
}

proptest! {
    /// Whatever is said in whatever order: nothing panics, databases are only ever kept after the
    /// sentinel, and whoever waits and waits gets an answer.
    #[test]
    fn there_is_an_answer(inputs in prop::collection::vec(any_input(), 0..20), matching: bool) {
        let mut talk = if matching { Talk::matching() } else { Talk::making() };
        for input in inputs {
            let is_sentinel = input == Input::Line(Ok(Line::Event(closed())));
            match talk.tell(input) {
                Step::End(Ok(Answer::Made(_))) => {
                    prop_assert!(is_sentinel);
                    return Ok(());
                }
                Step::End(_) => return Ok(()),
                Step::Wait | Step::Say(_) => {}
            }
        }
        let (_, said) = talk.wait();
        prop_assert!(matches!(said, Step::End(Err(_))), "{said:?}");
    }
}
