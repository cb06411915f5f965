//! What is said arrives as it was said, and what must not be said is refused.

use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;
use tonic::{Code, Status};

use super::*;
use crate::blob::{Digest, Got, PIECE_LIMIT, Put, QUESTION_LIMIT, Request};
use crate::event::Event;
use crate::id::RunId;
use crate::link::{Hello, ToAgent, ToScheduler};
use crate::run::{Overview, Submission, Watch};
use crate::wire::agent_message;
use crate::{strategies, wire};

/// A value after a journey: to the wire, to bytes, and all the way back.
fn transported<D, W>(value: D) -> D
where
    D: TryFrom<W, Error = Error>,
    W: From<D> + Message + Default,
{
    let bytes = W::from(value).encode_to_vec();
    W::decode(bytes.as_slice()).unwrap().try_into().unwrap()
}

proptest! {
    #[test]
    fn what_an_agent_says_arrives(message in strategies::to_scheduler()) {
        prop_assert_eq!(transported::<_, wire::AgentMessage>(message.clone()), message);
    }

    #[test]
    fn what_a_scheduler_says_arrives(message in strategies::to_agent()) {
        prop_assert_eq!(transported::<_, wire::SchedulerMessage>(message.clone()), message);
    }

    #[test]
    fn events_arrive(event in strategies::event()) {
        prop_assert_eq!(transported::<_, wire::Event>(event.clone()), event);
    }

    #[test]
    fn submissions_arrive(submission in strategies::submission()) {
        prop_assert_eq!(transported::<_, wire::SubmitRequest>(submission.clone()), submission);
    }

    #[test]
    fn lists_and_watches_arrive(
        runs in vec(strategies::overview(), 0..4),
        watch in strategies::watch(),
        teardown in strategies::teardown(),
    ) {
        prop_assert_eq!(transported::<_, wire::TearDownRequest>(teardown.clone()), teardown);
        prop_assert_eq!(transported::<_, wire::ListReply>(runs.clone()), runs);
        prop_assert_eq!(transported::<_, wire::WatchRequest>(watch.clone()), watch);
    }

    #[test]
    fn parts_of_images_and_questions_about_them_arrive(
        digests in vec(strategies::digest(), 0..4),
        put in strategies::put(),
        request in strategies::request(),
        got in strategies::got(),
    ) {
        prop_assert_eq!(transported::<_, wire::MissingRequest>(digests.clone()), digests.clone());
        prop_assert_eq!(transported::<_, wire::MissingReply>(digests.clone()), digests);
        prop_assert_eq!(transported::<_, wire::PutMessage>(put.clone()), put);
        prop_assert_eq!(transported::<_, wire::StatRequest>(request.digest), request.digest);
        prop_assert_eq!(transported::<_, wire::GetRequest>(request), request);
        prop_assert_eq!(transported::<_, wire::GetMessage>(got.clone()), got);
    }

    #[test]
    fn noise_is_refused_or_understood_but_never_a_panic(bytes in vec(any::<u8>(), 0..200)) {
        understand(&bytes)?;
    }

    #[test]
    fn a_damaged_message_is_refused_or_understood_but_never_a_panic(
        said in prop_oneof![
            strategies::to_scheduler().prop_map(|it| wire::AgentMessage::from(it).encode_to_vec()),
            strategies::to_agent().prop_map(|it| wire::SchedulerMessage::from(it).encode_to_vec()),
            strategies::submission().prop_map(|it| wire::SubmitRequest::from(it).encode_to_vec()),
        ],
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        length in any::<prop::sample::Index>(),
    ) {
        let mut bytes = said;
        bytes.push(0);
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        understand(&bytes)?;
        understand(&bytes[..length.index(bytes.len())])?;
    }
}

/// Takes bytes for every kind of message. What is understood survives another journey.
fn understand(bytes: &[u8]) -> Result<(), TestCaseError> {
    fn check<W, D>(bytes: &[u8]) -> Result<(), TestCaseError>
    where
        W: Message + Default + From<D>,
        D: TryFrom<W, Error = Error> + Clone + PartialEq + std::fmt::Debug,
    {
        let Ok(message) = W::decode(bytes) else { return Ok(()) };
        match D::try_from(message) {
            Ok(value) => prop_assert_eq!(transported::<D, W>(value.clone()), value),
            Err(error) => prop_assert_ne!(Status::from(error).code(), Code::Ok),
        }
        Ok(())
    }
    check::<wire::AgentMessage, ToScheduler>(bytes)?;
    check::<wire::SchedulerMessage, ToAgent>(bytes)?;
    check::<wire::Event, Event>(bytes)?;
    check::<wire::SubmitRequest, Submission>(bytes)?;
    check::<wire::WatchRequest, Watch>(bytes)?;
    check::<wire::CancelRequest, RunId>(bytes)?;
    check::<wire::MissingRequest, Vec<Digest>>(bytes)?;
    check::<wire::PutMessage, Put>(bytes)?;
    check::<wire::GetRequest, Request>(bytes)?;
    check::<wire::GetMessage, Got>(bytes)?;
    check::<wire::ListReply, Vec<Overview>>(bytes)
}

fn hello() -> wire::Hello {
    wire::Hello {
        protocol: crate::PROTOCOL,
        agent: "mac".into(),
        boot: "b1".into(),
        slots: 2,
        runtime: wire::Runtime::Docker.into(),
        leases: vec![key("r1", 1), key("r1", 2)],
        ..Default::default()
    }
}

fn key(run: &str, lease: u32) -> wire::LeaseKey {
    wire::LeaseKey { run: run.into(), lease, epoch: 1 }
}

fn finished() -> wire::TestFinished {
    wire::TestFinished {
        test: "shop.tests.CartTest.test_total".into(),
        r#try: 1,
        verdict: wire::Verdict::Passed.into(),
        seconds: 0.25,
        ..Default::default()
    }
}

/// What is said of an agent's message that is refused.
#[track_caller]
fn refusal(message: impl Into<agent_message::Message>) -> String {
    let message = wire::AgentMessage { message: Some(message.into()) };
    ToScheduler::try_from(message).expect_err("the message is not refused").to_string()
}

impl From<wire::Hello> for agent_message::Message {
    fn from(hello: wire::Hello) -> Self {
        Self::Hello(hello)
    }
}

impl From<wire::Report> for agent_message::Message {
    fn from(report: wire::Report) -> Self {
        Self::Report(report)
    }
}

impl From<wire::event::Event> for agent_message::Message {
    fn from(event: wire::event::Event) -> Self {
        let event = Some(wire::Event { event: Some(event) });
        Self::Report(wire::Report { lease: Some(key("r1", 1)), sequence: 1, event })
    }
}

impl From<wire::TestFinished> for agent_message::Message {
    fn from(finished: wire::TestFinished) -> Self {
        wire::event::Event::Finished(finished).into()
    }
}

impl From<wire::Warming> for agent_message::Message {
    fn from(warming: wire::Warming) -> Self {
        wire::event::Event::Warming(warming).into()
    }
}

#[test]
fn a_refusal_says_where_and_why() {
    insta::assert_snapshot!(refusal(wire::Hello { agent: String::new(), ..hello() }),
        @"message refused: hello.agent: agent id is empty");
    insta::assert_snapshot!(refusal(wire::Hello { slots: 0, ..hello() }),
        @"message refused: hello.slots is missing");
    insta::assert_snapshot!(refusal(wire::Hello { runtime: 0, ..hello() }),
        @"message refused: hello.runtime is missing");
    insta::assert_snapshot!(refusal(wire::Hello { leases: vec![key("r1", 1), key("../r", 2)], ..hello() }),
        @r#"message refused: hello.leases[1].run: run id "../r" holds '/'"#);
    insta::assert_snapshot!(refusal(wire::TestFinished { seconds: f64::NAN, ..finished() }),
        @"message refused: report.event.finished.seconds: NaN is not a length of time in seconds");
    insta::assert_snapshot!(refusal(wire::TestFinished { seconds: -1.0, ..finished() }),
        @"message refused: report.event.finished.seconds: -1 is not a length of time in seconds");
    insta::assert_snapshot!(refusal(wire::TestFinished { verdict: 99, ..finished() }),
        @"message refused: report.event.finished.verdict: 99 is not a value this version knows");
    insta::assert_snapshot!(refusal(wire::TestFinished { verdict: 0, ..finished() }),
        @"message refused: report.event.finished.verdict is missing");
    insta::assert_snapshot!(refusal(wire::TestFinished { r#try: 0, ..finished() }),
        @"message refused: report.event.finished.try is missing");
    insta::assert_snapshot!(refusal(wire::Warming { step: None }),
        @"message refused: report.event.warming.step is missing");
    insta::assert_snapshot!(refusal(wire::Warming { step: Some(wire::warming::Step::Made(f64::INFINITY)) }),
        @"message refused: report.event.warming.made: inf is not a length of time in seconds");
    insta::assert_snapshot!(refusal(wire::Report { lease: None, sequence: 1, event: None }),
        @"message refused: report.lease is missing");
    insta::assert_snapshot!(refusal(wire::Report { lease: Some(key("r1", 1)), sequence: 1, event: None }),
        @"message refused: report.event is missing");
}

#[test]
fn a_message_of_an_unknown_kind_is_refused() {
    assert!(ToScheduler::try_from(wire::AgentMessage { message: None }).is_err());
    assert!(ToAgent::try_from(wire::SchedulerMessage { message: None }).is_err());
    assert!(Event::try_from(wire::Event { event: None }).is_err());
}

#[test]
fn another_protocol_is_told_from_a_bad_message() {
    // Nothing else of it is looked at: another version may mean something else by every field.
    let other = wire::Hello { protocol: 7, ..Default::default() };
    let error = Hello::try_from(other).unwrap_err();
    assert!(matches!(error, Error::Protocol { ours: crate::PROTOCOL, theirs: 7 }), "{error}");

    let status = Status::from(error);
    assert_eq!(status.code(), Code::FailedPrecondition);
    insta::assert_snapshot!(status.message(),
        @"the other end speaks protocol 7 and this one protocol 1; use the same version of muletrain on both");

    let welcome = wire::Welcome { protocol: 0, heartbeat_seconds: 3.0 };
    let message = wire::scheduler_message::Message::Welcome(welcome);
    let message = wire::SchedulerMessage { message: Some(message) };
    assert!(matches!(ToAgent::try_from(message), Err(Error::Protocol { theirs: 0, .. })));
}

#[test]
fn more_than_a_message_may_hold_is_refused() {
    let digest = Digest::of(b"").to_string();
    let question = |count| wire::MissingRequest { digests: vec![digest.clone(); count] };
    assert!(Vec::<Digest>::try_from(question(QUESTION_LIMIT)).is_ok());
    insta::assert_snapshot!(Vec::<Digest>::try_from(question(QUESTION_LIMIT + 1)).unwrap_err(),
        @"message refused: digests: 1025 blobs are named, the limit is 1024");
    let piece = |length| wire::PutMessage::from(Put::Piece(vec![0; length]));
    assert!(Put::try_from(piece(PIECE_LIMIT)).is_ok());
    insta::assert_snapshot!(Put::try_from(piece(PIECE_LIMIT + 1)).unwrap_err(),
        @"message refused: piece: 1048577 bytes are sent at once, the limit is 1048576");
    let named = wire::StatRequest { digest: "../../etc/passwd".into() };
    insta::assert_snapshot!(Digest::try_from(named).unwrap_err(),
        @r#"message refused: digest: "../../etc/passwd" is no digest, which is sha256: and 64 hexadecimal digits"#);
}

#[test]
fn a_bad_message_is_an_invalid_argument() {
    let error = Hello::try_from(wire::Hello { slots: 0, ..hello() }).unwrap_err();
    assert_eq!(Status::from(error).code(), Code::InvalidArgument);
}

#[test]
fn a_snapshot_of_another_version_is_refused_before_it_is_read() {
    let request = wire::SubmitRequest {
        protocol: crate::PROTOCOL,
        snapshot: r#"{"version": 99, "unheard": "of"}"#.into(),
        options: "{}".into(),
        secrets: Default::default(),
    };
    let error = Submission::try_from(request).unwrap_err();
    insta::assert_snapshot!(error,
        @"message refused: snapshot: snapshot version 99 cannot be read, this build reads version 3; build it again with the same version of muletrain");
}

#[test]
fn secrets_are_not_in_what_is_printed_for_debugging() {
    let secrets = [("STRIPE_TEST_KEY".to_owned(), "hunter2".to_owned())];
    let request = wire::SubmitRequest { secrets: secrets.clone().into(), ..Default::default() };
    let brief = wire::RunBrief { secrets: secrets.into(), ..Default::default() };
    let run = wire::scheduler_message::Message::Run(brief);
    let printed = format!("{request:?} {:?}", wire::SchedulerMessage { message: Some(run) });
    assert!(!printed.contains("hunter2"), "{printed}");
}
