//! Scenarios of the bookkeeping, and what holds whatever happens.

use std::collections::BTreeMap;

use muletrain_proto::id::Epoch;
use proptest::prelude::*;

use muletrain_proto::seconds::Seconds;

use super::*;
use crate::samples::{brief, hello, image, key, lease};

/// Bookkeeping with a stream, and the clock it is told.
struct Book {
    slots: Slots,
    now: Instant,
}

impl Book {
    /// Two slots, connected, with the description of the run.
    fn open() -> Self {
        let mut book = Self { slots: Slots::new(hello(2)), now: Instant::now() };
        book.tell(Input::Opened);
        book.tell(Input::Message(ToAgent::Run(Box::new(brief(image())))));
        book
    }

    fn tell(&mut self, input: Input) -> Vec<String> {
        self.slots.handle(self.now, input).iter().map(show).collect()
    }

    fn lease(&mut self, number: u32) -> Vec<String> {
        self.tell(Input::Message(ToAgent::Lease(lease(number))))
    }

    fn ended(&mut self, number: u32) -> Vec<String> {
        self.tell(Input::Event(key(number), Event::Ended(Ending::Closed)))
    }

    fn removed(&mut self, number: u32) -> Vec<String> {
        self.tell(Input::Removed(key(number)))
    }

    fn acknowledge(&mut self, number: u32, sequence: u64) -> Vec<String> {
        self.tell(Input::Message(ToAgent::Acknowledge { lease: key(number), sequence }))
    }

    fn revoke(&mut self, number: u32) -> Vec<String> {
        let reason = String::new();
        self.tell(Input::Message(ToAgent::Revoke { lease: key(number), reason }))
    }

    fn pass(&mut self, time: Duration) -> Vec<String> {
        self.now += time;
        self.tell(Input::Tick)
    }
}

/// An effect in a few words.
fn show(effect: &Effect) -> String {
    match effect {
        Effect::Send(ToScheduler::Hello(hello)) => format!("hello with {}", hello.leases.len()),
        Effect::Send(ToScheduler::Credit(count)) => format!("credit {count}"),
        Effect::Send(ToScheduler::Event(Report { lease, sequence, event })) => match event {
            Event::Ended(Ending::Infrastructure { reason }) => {
                format!("{lease} #{sequence} refused: {reason}")
            }
            _ => format!("{lease} #{sequence}"),
        },
        Effect::Send(message) => format!("{message:?}").to_lowercase(),
        Effect::Start(lease, _) => format!("start {}", lease.key),
        Effect::Grant(lease, grant) => format!("grant {} to {lease}", grant.number),
        Effect::Revoke(lease) => format!("revoke {lease}"),
        Effect::Stop(lease, reason) => format!("stop {lease}: {reason}"),
        Effect::Forget(run) => format!("forget {run}"),
        Effect::Exit => "exit".to_owned(),
    }
}

fn event() -> Event {
    Event::Done { grant: 1 }
}

#[test]
fn a_slot_is_free_again_once_the_pod_is_removed() {
    let mut book = Book::open();
    assert_eq!(book.lease(1), ["start run/1"]);
    assert_eq!(book.lease(1), [""; 0], "a lease that comes twice is one");
    assert_eq!(book.ended(1), ["run/1 #1"]);
    assert_eq!(book.removed(1), ["credit 1"]);
    assert_eq!(book.slots.held(), [key(1)], "held until its last event is acknowledged");
    book.acknowledge(1, 1);
    assert_eq!(book.slots.held(), []);
}

#[test]
fn events_are_numbered_from_one_within_their_lease() {
    let mut book = Book::open();
    book.lease(1);
    book.lease(2);
    assert_eq!(book.tell(Input::Event(key(1), event())), ["run/1 #1"]);
    assert_eq!(book.tell(Input::Event(key(1), event())), ["run/1 #2"]);
    assert_eq!(book.tell(Input::Event(key(2), event())), ["run/2 #1"]);
}

#[test]
fn what_is_not_acknowledged_is_sent_again_on_the_next_stream() {
    let mut book = Book::open();
    book.lease(1);
    for _ in 0..3 {
        book.tell(Input::Event(key(1), event()));
    }
    book.acknowledge(1, 1);
    book.tell(Input::Lost);
    assert_eq!(book.tell(Input::Event(key(1), event())), [""; 0]);
    let said = book.tell(Input::Opened);
    assert_eq!(said, ["hello with 1", "credit 1", "run/1 #2", "run/1 #3", "run/1 #4"]);
}

#[test]
fn the_backlog_grows_with_events_and_shrinks_with_acknowledgements() {
    let mut book = Book::open();
    book.lease(1);
    book.tell(Input::Event(key(1), event()));
    let one = book.slots.backlog(&key(1));
    book.tell(Input::Event(key(1), event()));
    assert_eq!(book.slots.backlog(&key(1)), 2 * one);
    book.acknowledge(1, 1);
    assert_eq!(book.slots.backlog(&key(1)), one);
}

#[test]
fn what_cannot_be_worked_on_is_refused_with_the_reason() {
    let mut book = Book::open();
    book.lease(1);
    book.lease(2);
    assert_eq!(book.lease(3), ["run/3 #1 refused: all slots of the agent are taken"]);
    let mut book = Book { slots: Slots::new(hello(1)), now: Instant::now() };
    book.tell(Input::Opened);
    let reason = "run/1 #1 refused: the agent got no description of the run";
    assert_eq!(book.lease(1), [reason, "credit 1"]);
}

#[test]
fn a_newer_epoch_replaces_an_older_one_and_never_the_other_way_round() {
    let mut book = Book::open();
    book.lease(1);
    let mut newer = lease(1);
    newer.key.epoch = Epoch(2);
    let said = book.tell(Input::Message(ToAgent::Lease(newer)));
    assert_eq!(said, ["revoke run/1", "start run/1"]);
    book.ended(1);
    book.removed(1);
    book.acknowledge(1, 1);
    assert_eq!(book.lease(1), [""; 0]);
}

#[test]
fn an_unwanted_lease_is_revoked_while_it_has_a_pod_and_forgotten_afterwards() {
    let mut book = Book::open();
    book.lease(1);
    assert_eq!(book.revoke(1), ["revoke run/1"]);
    book.ended(1);
    assert_eq!(book.revoke(1), [""; 0]);
    book.removed(1);
    assert_eq!(book.slots.held(), [key(1)]);
    assert_eq!(book.revoke(1), [""; 0]);
    assert_eq!(book.slots.held(), []);
}

#[test]
fn without_a_scheduler_work_goes_on_for_a_minute() {
    let mut book = Book::open();
    book.lease(1);
    book.tell(Input::Lost);
    assert_eq!(book.pass(CUT_OFF / 2), [""; 0]);
    book.tell(Input::Lost);
    let reason = "stop run/1: the agent could not reach the scheduler for 60 s";
    assert_eq!(book.pass(CUT_OFF / 2), [reason], "further failures do not move the deadline");
    assert_eq!(book.pass(CUT_OFF), [""; 0]);
    book.ended(1);
    book.removed(1);
    assert_eq!(book.tell(Input::Opened), ["hello with 1", "credit 2", "run/1 #1"]);
}

#[test]
fn a_stream_that_is_back_in_time_ends_nothing() {
    let mut book = Book::open();
    book.lease(1);
    book.tell(Input::Lost);
    book.tell(Input::Opened);
    let heartbeat = Seconds::ZERO;
    book.tell(Input::Message(ToAgent::Welcome { heartbeat }));
    assert_eq!(book.pass(CUT_OFF * 2), [""; 0]);
}

#[test]
fn a_stream_on_which_nobody_answers_is_none() {
    let mut book = Book::open();
    book.lease(1);
    book.tell(Input::Lost);
    book.tell(Input::Opened);
    assert!(!book.pass(CUT_OFF * 2).is_empty());
}

#[test]
fn draining_finishes_what_is_held_and_gives_no_credit() {
    let mut book = Book::open();
    book.lease(1);
    assert_eq!(book.tell(Input::Drain), ["draining"]);
    assert_eq!(book.lease(2), ["run/2 #1 refused: the agent is leaving"]);
    book.acknowledge(2, 1);
    book.ended(1);
    assert_eq!(book.removed(1), [""; 0]);
    assert_eq!(book.acknowledge(1, 1), ["exit"]);
}

#[test]
fn a_leaving_agent_waits_only_so_long_for_acknowledgements() {
    let mut book = Book::open();
    book.lease(1);
    book.tell(Input::Drain);
    book.ended(1);
    assert_eq!(book.removed(1), [""; 0]);
    assert_eq!(book.pass(FAREWELL), ["exit"]);
}

#[test]
fn an_agent_that_holds_nothing_leaves_at_once() {
    assert_eq!(Book::open().tell(Input::Drain), ["draining", "exit"]);
    let mut unconnected = Book { slots: Slots::new(hello(1)), now: Instant::now() };
    assert_eq!(unconnected.tell(Input::Drain), ["exit"]);
}

#[test]
fn stopping_ends_every_pod() {
    let mut book = Book::open();
    book.lease(1);
    let reason = "interrupted".to_owned();
    assert_eq!(book.tell(Input::Stop { reason }), ["draining", "stop run/1: interrupted"]);
}

#[derive(Debug, Clone)]
enum Step {
    Open,
    Lose,
    Lease(u32),
    Event(u32),
    End(u32),
    Acknowledge(u32, u64),
    Revoke(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Open),
        Just(Step::Lose),
        (1..4_u32).prop_map(Step::Lease),
        (1..4_u32).prop_map(Step::Event),
        (1..4_u32).prop_map(Step::End),
        (1..4_u32, 0..6_u64).prop_map(|(lease, sequence)| Step::Acknowledge(lease, sequence)),
        (1..4_u32).prop_map(Step::Revoke),
    ]
}

proptest! {
    /// On every stream the numbers of a lease rise by one, and there are never more pods than
    /// slots.
    #[test]
    fn no_event_is_lost_and_no_slot_is_taken_twice(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut book = Book::open();
        let mut next: BTreeMap<LeaseKey, u64> = BTreeMap::new();
        for step in steps {
            let inputs = match step {
                Step::Open => { next.clear(); vec![Input::Opened] }
                Step::Lose => vec![Input::Lost],
                Step::Lease(number) => {
                    // One that was forgotten is a new one when it comes again.
                    if !book.slots.held().contains(&key(number)) {
                        next.remove(&key(number));
                    }
                    vec![Input::Message(ToAgent::Lease(lease(number)))]
                }
                Step::Event(number) => vec![Input::Event(key(number), event())],
                Step::End(number) if book.slots.live().any(|held| *held == key(number)) => vec![
                    Input::Event(key(number), Event::Ended(Ending::Closed)),
                    Input::Removed(key(number)),
                ],
                Step::End(_) => vec![],
                Step::Acknowledge(number, sequence) => {
                    vec![Input::Message(ToAgent::Acknowledge { lease: key(number), sequence })]
                }
                Step::Revoke(number) => {
                    let reason = String::new();
                    vec![Input::Message(ToAgent::Revoke { lease: key(number), reason })]
                }
            };
            for input in inputs {
                for effect in book.slots.handle(book.now, input) {
                    if let Effect::Send(ToScheduler::Event(report)) = &effect {
                        let expected = next.insert(report.lease.clone(), report.sequence + 1);
                        prop_assert!(expected.is_none_or(|number| number == report.sequence));
                    }
                }
                prop_assert!(book.slots.live().count() <= 2);
            }
        }
    }
}
