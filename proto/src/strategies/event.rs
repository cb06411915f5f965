//! Events.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{around, class_id, counted, failures, inventory, output, seconds, test_id, text};
use crate::event::{
    Booted, ClassTimes, Closed, Collected, Database, Event, Failed, Finished, Fixture, Found,
    LimitOf, Phase, Planned, PodStarted, Ready, TimedOut, Warming,
};
use crate::outcome::{Death, Ending};
use crate::verdict::Verdict;

/// Any event.
pub(crate) fn event() -> impl Strategy<Value = Event> {
    // On the heap: strategies within strategies outgrow the stack of a test.
    prop_oneof![
        pod_event().boxed(),
        test_event().boxed(),
        around::event().boxed(),
        ending().prop_map(Event::Ended).boxed()
    ]
}

pub(super) fn verdict() -> impl Strategy<Value = Verdict> {
    select(Verdict::ALL.to_vec())
}

fn pod_event() -> impl Strategy<Value = Event> {
    let phase = select(Phase::ALL.to_vec());
    let database = (text(), text(), any::<bool>()).prop_map(|(alias, vendor, warm)| Database {
        alias,
        vendor,
        warm,
    });
    prop_oneof![
        warming().prop_map(Event::Warming),
        (text(), seconds(), any::<bool>()).prop_map(|(pod, seconds, reused)| {
            Event::PodStarted(PodStarted { pod, seconds, reused })
        }),
        (text(), text(), text(), seconds()).prop_map(|(python, django, runner, seconds)| {
            Event::Booted(Booted { python, django, runner, seconds })
        }),
        (inventory(), seconds())
            .prop_map(|(inventory, seconds)| Event::Collected(Collected { inventory, seconds })),
        (inventory(), vec(test_id(), 0..3), seconds()).prop_map(|(inventory, missing, seconds)| {
            Event::Planned(Planned { inventory, missing, seconds })
        }),
        (vec(database, 0..3), seconds(), output()).prop_map(|(databases, seconds, output)| {
            Event::Ready(Ready { databases, seconds, output })
        }),
        inventory().prop_map(|inventory| Event::Found(Found { inventory })),
        counted().prop_map(|grant| Event::Done { grant }),
        (phase, failures(), output()).prop_map(|(phase, failures, output)| {
            Event::Failed(Failed { phase, failures, output })
        }),
        (any::<u32>(), option::of(any::<u64>()))
            .prop_map(|(tests, peak_kib)| Event::Closed(Closed { tests, peak_kib })),
    ]
}

fn warming() -> impl Strategy<Value = Warming> {
    prop_oneof![
        Just(Warming::Begun),
        Just(Warming::Found),
        seconds().prop_map(|seconds| Warming::Made { seconds }),
        text().prop_map(|reason| Warming::Failed { reason }),
    ]
}

fn test_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (test_id(), counted()).prop_map(|(test, r#try)| Event::Started { test, r#try }),
        finished().prop_map(Event::Finished),
        fixture().prop_map(Event::Fixture),
        (class_id(), seconds(), seconds(), output(), option::of(any::<u64>())).prop_map(
            |(class, setup_seconds, teardown_seconds, output, peak_kib)| {
                Event::Class(ClassTimes {
                    class,
                    setup_seconds,
                    teardown_seconds,
                    output,
                    peak_kib,
                })
            }
        ),
        timed_out().prop_map(Event::TimedOut),
    ]
}

fn timed_out() -> impl Strategy<Value = TimedOut> {
    let limit_of = select(LimitOf::ALL.to_vec());
    let tests = vec(test_id(), 0..3);
    (test_id(), counted(), seconds(), text(), output(), limit_of, tests).prop_map(
        |(test, r#try, seconds, stacks, output, limit_of, tests)| TimedOut {
            test,
            r#try,
            seconds,
            stacks,
            output,
            limit_of,
            tests,
        },
    )
}

fn finished() -> impl Strategy<Value = Finished> {
    (test_id(), counted(), verdict(), seconds(), option::of(text()), failures(), output()).prop_map(
        |(test, r#try, verdict, seconds, reason, failures, output)| Finished {
            test,
            r#try,
            verdict,
            seconds,
            reason,
            failures,
            output,
        },
    )
}

fn fixture() -> impl Strategy<Value = Fixture> {
    let tests = vec(test_id(), 0..3);
    (test_id(), option::of(class_id()), verdict(), failures(), output(), tests).prop_map(
        |(id, class, verdict, failures, output, tests)| Fixture {
            id,
            class,
            verdict,
            failures,
            output,
            tests,
        },
    )
}

fn ending() -> impl Strategy<Value = Ending> {
    let status = || option::of(any::<i32>());
    let memory = option::of(any::<u64>());
    let death = (option::of(test_id()), status(), status(), memory, text(), output(), text());
    prop_oneof![
        Just(Ending::Closed),
        Just(Ending::Failed),
        Just(Ending::TimedOut),
        Just(Ending::Revoked),
        text().prop_map(|reason| Ending::Infrastructure { reason }),
        death.prop_map(|(running, status, signal, memory_limit, reason, output, stderr)| {
            Ending::Crashed(Death { running, status, signal, memory_limit, reason, output, stderr })
        }),
    ]
}
