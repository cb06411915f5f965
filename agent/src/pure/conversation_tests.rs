//! Scenarios of one lease, and what holds of every conversation.

use muletrain_proto::coverage::Combined;
use muletrain_proto::event::{Booted, Closed, Collected, Finished, Planned, Ready};
use muletrain_proto::hook::{self, Hook, Scope};
use muletrain_proto::inventory::Inventory;
use muletrain_proto::verdict::Verdict;
use proptest::prelude::*;

use super::*;
use crate::pure::around::Around;
use crate::pure::pod;
use crate::samples::{brief, image, lease, test, work};

/// A conversation, and the clock it is told.
struct Talk {
    conversation: Conversation,
    now: Instant,
}

impl Talk {
    fn of(work: Work) -> Self {
        let mut brief = brief(image());
        brief.options.test_timeout = Some(seconds(60));
        let hello = pod::hello(&lease(1), &brief, "/app".to_owned());
        Self { conversation: Conversation::new(work, hello, Some(1 << 30)), now: Instant::now() }
    }

    /// One whose pod has something left to do once its tests are over.
    fn with_an_end(mut self) -> Self {
        let mut brief = brief(image());
        brief.options.hooks.pod_teardown = vec!["make clean".to_owned()];
        self.conversation.hello.around = Around::of(&lease(1), &brief);
        self
    }

    /// One that has its pod, its plan and its databases, and a grant it works on.
    fn running() -> Self {
        let mut talk = Self::of(work());
        talk.tell(started());
        for event in [booted(), planned(), ready()] {
            talk.say(event);
        }
        talk.tell(grant(1, true));
        talk
    }

    fn tell(&mut self, input: Input) -> Vec<String> {
        self.conversation.handle(self.now, input).iter().map(show).collect()
    }

    fn say(&mut self, event: Event) -> Vec<String> {
        self.tell(Input::Line(Ok(Line::Event(event))))
    }

    /// Lets the deadline pass.
    fn wait(&mut self) -> (Duration, Vec<String>) {
        let deadline = self.conversation.deadline().expect("there is a deadline");
        let waited = deadline - self.now;
        self.now = deadline;
        (waited, self.tell(Input::Tick))
    }
}

/// An output in a few words.
fn show(output: &Output) -> String {
    match output {
        Output::Kill => "kill".to_owned(),
        Output::Take(piece) => format!("take {}", piece.name),
        Output::Deliver(parts) => format!("deliver {}", parts.len()),
        Output::Event(Event::Ended(Ending::Crashed(death))) => {
            let running = death.running.as_ref().map_or("nothing", TestId::as_str);
            format!("crashed in {running}: {}", death.reason)
        }
        Output::Event(Event::Ended(Ending::Infrastructure { reason })) => {
            format!("infrastructure: {reason}")
        }
        Output::Event(Event::Ended(ending)) => format!("ended {ending:?}").to_lowercase(),
        Output::Event(Event::Failed(failed)) => {
            format!("failed in {:?}", failed.phase).to_lowercase()
        }
        Output::Event(event) => format!("event {}", name(event)),
        Output::Command(command) => {
            let line = String::from_utf8(command.to_line()).unwrap();
            let word = line.split('"').nth(3).unwrap_or_default().to_owned();
            format!("command `{word}`")
        }
    }
}

fn seconds(seconds: u32) -> Seconds {
    Seconds::new(f64::from(seconds)).unwrap()
}

fn started() -> Input {
    Input::Started(PodStarted { pod: "pod".to_owned(), seconds: Seconds::ZERO, reused: false })
}

fn grant(number: u32, last: bool) -> Input {
    Input::Grant(Grant { number, tests: None, last, ordered: false })
}

fn booted() -> Event {
    let text = String::new();
    let (python, django, runner) = (text.clone(), text.clone(), text);
    Event::Booted(Booted { python, django, runner, seconds: Seconds::ZERO })
}

fn planned() -> Event {
    let inventory = Inventory::default();
    Event::Planned(Planned { inventory, missing: vec![], seconds: Seconds::ZERO })
}

fn ready() -> Event {
    Event::Ready(Ready { databases: vec![], seconds: Seconds::ZERO, output: Printed::default() })
}

fn begins(id: &str) -> Event {
    Event::Started { test: test(id), r#try: 1 }
}

fn finished(id: &str) -> Event {
    Event::Finished(Finished {
        test: test(id),
        r#try: 1,
        verdict: Verdict::Passed,
        seconds: Seconds::ZERO,
        reason: None,
        failures: vec![],
        output: Printed::default(),
    })
}

fn closed() -> Event {
    Event::Closed(Closed { tests: 1, peak_kib: None })
}

fn gone() -> Input {
    Input::Exited(exit(Some(0)))
}

fn exit(status: Option<i32>) -> Exit {
    Exit::Process { status, signal: None, out_of_memory: false, stderr: String::new() }
}

fn worker_died(signal: i32) -> Input {
    let exited = Exited {
        status: None,
        signal: Some(signal),
        running: Some(test("a.B.c")),
        output: Printed::default(),
    };
    Input::Line(Ok(Line::Exited(Box::new(exited))))
}

fn torn_down() -> Event {
    Event::Hook(Hook {
        scope: Scope::Pod,
        stage: hook::Stage::Teardown,
        command: "make clean".to_owned(),
        seconds: Seconds::ZERO,
        status: Some(0),
        signal: None,
        timed_out: false,
        output: Printed::default(),
    })
}

fn piece() -> Input {
    let line = r#"{"type":"artifact","name":"a.log","size":1,"data":"eA==","last":true}"#;
    Input::Line(harness::parse(line))
}

#[test]
fn what_is_around_the_tests_goes_on_after_their_process_died() {
    let mut talk = Talk::running().with_an_end();
    talk.say(begins("a.B.c"));
    assert_eq!(talk.tell(worker_died(11)), [""; 0]);
    assert_eq!(talk.say(torn_down()), ["event `hook`"]);
    assert_eq!(talk.tell(piece()), ["take a.log"]);
    assert_eq!(talk.tell(gone()), ["crashed in a.B.c: segmentation fault (signal 11)"]);
}

#[test]
fn a_pod_with_something_left_to_do_is_asked_to_stop_and_has_a_moment_for_it() {
    for wish in [Input::Revoke, Input::Stop { reason: "over".to_owned() }] {
        let mut talk = Talk::running().with_an_end();
        assert_eq!(talk.tell(wish), ["command `stop`"]);
        assert_eq!(talk.say(torn_down()), ["event `hook`"]);
        let (waited, outputs) = talk.wait();
        assert_eq!((waited, outputs), (STOP_LIMIT, vec!["kill".to_owned()]));
        assert_eq!(talk.tell(gone()).len(), 1);
        assert!(talk.conversation.is_over());
    }
    let mut talk = Talk::running();
    assert_eq!(talk.tell(Input::Revoke), ["kill", "ended revoked"], "nothing is left to do");
}

#[test]
fn what_pods_measured_is_sent_before_it_is_combined() {
    let mut talk = Talk::of(Work::Combine { parts: vec![] });
    talk.tell(started());
    let said = talk.say(booted());
    assert_eq!(said, ["event `booted`", "deliver 0", "command `combine`"]);
    let combined = Combined {
        files: 2,
        statements: 10,
        missing: 1,
        branches: 0,
        missing_branches: 0,
        percent: "90".to_owned(),
        demanded: None,
        notes: vec![],
        seconds: Seconds::ZERO,
    };
    assert_eq!(talk.say(Event::Combined(combined)), ["event `combined`", "command `finish`"]);
    assert_eq!(talk.tell(piece()), ["take a.log"]);
    assert_eq!(talk.say(closed()), ["event `closed`"]);
    assert_eq!(talk.tell(gone()), ["ended closed"]);
}

#[test]
fn an_app_is_run_from_beginning_to_end() {
    let mut talk = Talk::of(work());
    let mut said = vec![talk.tell(started())];
    for event in [booted(), planned(), ready()] {
        said.push(talk.say(event));
    }
    said.push(talk.tell(grant(1, true)));
    for event in [begins("a.B.c"), finished("a.B.c"), Event::Done { grant: 1 }, closed()] {
        said.push(talk.say(event));
    }
    said.push(talk.tell(gone()));
    let lines: Vec<String> = said.iter().map(|outputs| outputs.join(", ")).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    event `pod_started`, command `hello`
    event `booted`, command `assign`
    event `planned`
    event `ready`
    command `run`
    event `started`
    event `finished`
    event `done`, command `finish`
    event `closed`
    ended closed
    ");
    assert!(talk.conversation.is_over());
}

#[test]
fn what_is_said_of_all_tests_may_come_after_the_last_one() {
    let mut talk = Talk::running();
    for event in [begins("a.B.c"), finished("a.B.c"), Event::Done { grant: 1 }] {
        talk.say(event);
    }
    let line = r#"{"type":"fixture","id":"pytest-cov","verdict":"failed","output":""}"#;
    assert_eq!(talk.tell(Input::Line(harness::parse(line))), ["event `fixture`"]);
    assert_eq!(talk.say(closed()), ["event `closed`"]);
    assert_eq!(talk.tell(gone()), ["ended closed"]);
}

#[test]
fn a_collection_needs_no_grant() {
    let mut talk = Talk::of(Work::Collect { labels: vec![] });
    talk.tell(started());
    assert_eq!(talk.say(booted()), ["event `booted`", "command `collect`"]);
    let inventory = Inventory::default();
    let collected = Event::Collected(Collected { inventory, seconds: Seconds::ZERO });
    assert_eq!(talk.say(collected), ["event `collected`", "command `finish`"]);
    talk.say(closed());
    assert_eq!(talk.tell(gone()), ["ended closed"]);
}

#[test]
fn a_grant_that_comes_early_waits_for_the_databases() {
    let mut talk = Talk::of(work());
    talk.tell(started());
    assert_eq!(talk.tell(grant(1, false)), [""; 0]);
    talk.say(booted());
    talk.say(planned());
    assert_eq!(talk.say(ready()), ["event `ready`", "command `run`"]);
}

#[test]
fn a_pod_stays_warm_between_grants_and_a_repeated_one_runs_once() {
    let mut talk = Talk::of(work());
    talk.tell(started());
    for event in [booted(), planned(), ready()] {
        talk.say(event);
    }
    assert_eq!(talk.tell(grant(1, false)), ["command `run`"]);
    assert_eq!(talk.say(Event::Done { grant: 1 }), ["event `done`"]);
    assert_eq!(talk.conversation.deadline(), None, "an idle pod waits for the scheduler");
    assert_eq!(talk.tell(grant(1, false)), [""; 0]);
    assert_eq!(talk.tell(grant(2, true)), ["command `run`"]);
    assert_eq!(talk.say(Event::Done { grant: 2 }), ["event `done`", "command `finish`"]);
}

#[test]
fn an_end_without_the_sentinel_is_a_crash_whatever_the_status() {
    let mut talk = Talk::running();
    talk.say(begins("a.B.c"));
    let reason = "exit with status 0 before the tests were through, of the whole pod";
    assert_eq!(talk.tell(gone()), [format!("crashed in a.B.c: {reason}")]);
}

#[test]
fn a_worker_that_died_is_waited_for_and_then_named() {
    let mut talk = Talk::running();
    talk.say(begins("a.B.c"));
    assert_eq!(talk.tell(worker_died(11)), [""; 0]);
    assert_eq!(talk.tell(gone()), ["crashed in a.B.c: segmentation fault (signal 11)"]);
}

#[test]
fn a_host_that_fails_is_not_the_fault_of_the_test() {
    let mut talk = Talk::running();
    talk.say(begins("a.B.c"));
    let lost = Input::Exited(Exit::Lost { reason: "the engine went away".to_owned() });
    assert_eq!(talk.tell(lost), ["infrastructure: the engine went away"]);
}

#[test]
fn a_revoked_lease_is_over_at_once() {
    for mut talk in [Talk::of(work()), Talk::running()] {
        assert_eq!(talk.tell(Input::Revoke), ["kill", "ended revoked"]);
        assert_eq!(talk.tell(gone()), [""; 0]);
    }
}

fn resumed() -> Input {
    let Event::Booted(booted) = booted() else { panic!("it is what it says") };
    let started = PodStarted { pod: "pod".to_owned(), seconds: Seconds::ZERO, reused: true };
    Input::Resumed(started, Booted { seconds: seconds(5), ..booted })
}

#[test]
fn a_last_grant_without_tests_ends_the_pod() {
    let mut talk = Talk::of(work());
    talk.tell(started());
    for event in [booted(), planned(), ready()] {
        talk.say(event);
    }
    assert_eq!(talk.tell(grant(1, false)), ["command `run`"]);
    talk.say(Event::Done { grant: 1 });
    let nothing = Grant { number: 2, tests: Some(vec![]), last: true, ordered: false };
    assert_eq!(talk.tell(Input::Grant(nothing)), ["command `finish`"]);
}

#[test]
fn a_pod_whose_child_is_gone_is_there_for_the_next_lease() {
    let mut talk = Talk::running();
    talk.say(Event::Done { grant: 1 });
    talk.say(closed());
    assert!(talk.conversation.parked().is_none());
    assert_eq!(talk.tell(Input::Line(Ok(Line::Idle))), ["ended closed"]);
    assert!(talk.conversation.parked().is_some() && talk.conversation.is_over());
}

#[test]
fn a_pod_that_is_there_already_is_given_the_app_at_once() {
    let mut talk = Talk::of(work());
    let begun = ["event `pod_started`", "event `booted`", "command `assign`"];
    assert_eq!(talk.tell(resumed()), begun);
    talk.say(planned());
    talk.say(ready());
    assert_eq!(talk.tell(grant(1, true)), ["command `run`"]);
    talk.say(Event::Done { grant: 1 });
    talk.say(closed());
    talk.tell(Input::Line(Ok(Line::Idle)));
    let took = talk.conversation.parked().map(|booted| booted.seconds);
    assert_eq!(took, Some(seconds(5)), "that of the lease for which it was loaded");
}

#[test]
fn a_pod_that_ended_while_it_was_kept_is_nobodys_crash() {
    let mut talk = Talk::of(work());
    talk.tell(resumed());
    let reason = "infrastructure: the pod that was kept for this lease ended before it answered";
    assert_eq!(talk.tell(gone()), [reason]);
    let mut talk = Talk::of(work());
    talk.tell(resumed());
    talk.say(planned());
    assert!(talk.tell(gone())[0].starts_with("crashed"), "once it has answered, it was the tests");
}

#[test]
fn a_child_is_told_of_only_once_its_pod_is_closed() {
    let mut talk = Talk::running();
    assert_eq!(talk.tell(Input::Line(Ok(Line::Idle))), ["kill"]);
    assert!(talk.conversation.parked().is_none());
}

#[test]
fn where_databases_may_be_shared_a_pod_is_asked_to_stop() {
    let mut talk = Talk::running();
    talk.conversation.hello.db_token = Some("0123456789ab".to_owned());
    assert_eq!(talk.tell(Input::Revoke), ["command `stop`"]);
    assert_eq!(talk.tell(gone()), ["ended revoked"]);
}

#[test]
fn a_line_at_the_wrong_time_ends_the_pod_and_says_so() {
    let mut talk = Talk::running();
    assert_eq!(talk.say(ready()), ["kill"]);
    assert_eq!(
        talk.tell(gone()),
        ["crashed in nothing: the harness said `ready` at the wrong time"]
    );
    let mut talk = Talk::running();
    talk.say(Event::Done { grant: 1 });
    talk.say(closed());
    assert_eq!(talk.say(begins("a.B.c")), ["kill"], "nothing follows the sentinel");
}

#[test]
fn a_test_that_the_harness_does_not_end_is_ended_by_the_agent() {
    let mut talk = Talk::running();
    talk.say(begins("a.B.c"));
    let (waited, said) = talk.wait();
    assert_eq!(waited, Duration::from_secs(60) + TIMEOUT_GRACE);
    assert_eq!(said, ["event `timed_out`", "kill"]);
    assert_eq!(talk.tell(Input::Exited(exit(Some(137)))), ["ended timedout"]);
}

#[test]
fn silence_fails_the_phase_it_falls_into() {
    let mut talk = Talk::of(work());
    talk.tell(started());
    assert_eq!(talk.wait(), (QUIET_LIMIT, vec!["failed in boot".to_owned(), "kill".to_owned()]));
    assert_eq!(talk.tell(gone()), ["ended failed"]);

    let mut talk = Talk::of(work());
    talk.tell(started());
    talk.say(booted());
    talk.say(planned());
    assert_eq!(talk.wait().0, DATABASES_LIMIT);
}

#[test]
fn a_pod_that_does_not_go_is_killed_and_one_that_cannot_be_killed_is_given_up() {
    let mut talk = Talk::running();
    talk.say(Event::Done { grant: 1 });
    talk.say(closed());
    assert_eq!(talk.wait(), (LINGER_LIMIT, vec!["kill".to_owned()]));
    assert_eq!(talk.wait(), (KILL_LIMIT, vec!["ended closed".to_owned()]));
}

fn any_input() -> impl Strategy<Value = Input> {
    let event = prop_oneof![
        Just(booted()),
        Just(planned()),
        Just(ready()),
        Just(begins("a.B.c")),
        Just(finished("a.B.c")),
        Just(Event::Done { grant: 1 }),
        Just(Event::Failed(silence(Phase::Run))),
        Just(closed()),
    ];
    prop_oneof![
        8 => event.prop_map(|event| Input::Line(Ok(Line::Event(event)))),
        2 => Just(started()),
        2 => (1..3_u32, any::<bool>()).prop_map(|(number, last)| grant(number, last)),
        1 => Just(worker_died(9)),
        1 => Just(Input::Line(Err(harness::Error::Protocol { found: 2 }))),
        1 => Just(gone()),
        1 => Just(Input::Line(Ok(Line::Idle))),
        1 => Just(resumed()),
        1 => Just(Input::Tick),
        1 => Just(Input::Revoke),
        1 => Just(Input::NotStarted { reason: String::new() }),
    ]
}

proptest! {
    /// Whatever is said in whatever order: nothing panics, a lease that waits and waits ends, it
    /// ends once, and nothing follows its end.
    #[test]
    fn a_lease_ends_exactly_once(inputs in prop::collection::vec(any_input(), 0..40)) {
        let mut talk = Talk::of(work());
        talk.tell(started());
        let mut said = Vec::new();
        for input in inputs {
            said.extend(talk.conversation.handle(talk.now, input));
        }
        while talk.conversation.deadline().is_some() {
            talk.now = talk.conversation.deadline().unwrap();
            said.extend(talk.conversation.handle(talk.now, Input::Tick));
        }
        let is_end = |output: &Output| matches!(output, Output::Event(Event::Ended(_)));
        let ends = said.iter().filter(|output| is_end(output)).count();
        let is_idle = matches!(talk.conversation.stage, Stage::Idle);
        prop_assert_eq!(ends, usize::from(!is_idle));
        prop_assert!(is_idle || said.last().is_some_and(is_end));
    }
}

#[path = "conversation_limit_tests.rs"]
mod limits;
