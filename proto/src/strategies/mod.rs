//! Values of every type that crosses a process or a disk, for property tests.

mod around;
mod blob;
mod event;
mod journal;
mod link;
mod snapshot;
mod suite;

use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

pub(crate) use around::teardown;
pub(crate) use blob::{digest, got, put, request};
pub(crate) use event::event;
pub(crate) use journal::{entry, header};
pub(crate) use link::{overview, submission, to_agent, to_scheduler, watch};

use crate::id::{AppLabel, ClassId, Epoch, LeaseId, LeaseKey, RunId, SuiteName, TestId};
use crate::inventory::{Class, Inventory, LoadError, Test};
use crate::lease::{Grant, GrantedTest, Lease, Work};
use crate::outcome::{Failure, FailureKind, Output};
use crate::seconds::Seconds;

/// Any text, control characters and all planes of Unicode among it.
fn text() -> impl Strategy<Value = String> {
    "(?s).{0,12}"
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec(text(), 0..3)
}

fn pairs() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(text(), text(), 0..3)
}

/// An id that is also a file name.
fn token<T, E: Debug>(new: fn(String) -> Result<T, E>) -> impl Strategy<Value = T>
where
    T: Debug,
{
    "[A-Za-z0-9_:][A-Za-z0-9_.:-]{0,12}".prop_map(move |text| new(text).unwrap())
}

/// An id that Python code chooses.
fn name<T, E: Debug>(new: fn(String) -> Result<T, E>) -> impl Strategy<Value = T>
where
    T: Debug,
{
    "[^\\x00]{1,12}".prop_map(move |text| new(text).unwrap())
}

fn run_id() -> impl Strategy<Value = RunId> {
    token(RunId::new)
}

fn test_id() -> impl Strategy<Value = TestId> {
    name(TestId::new)
}

fn class_id() -> impl Strategy<Value = ClassId> {
    name(ClassId::new)
}

fn suite_name() -> impl Strategy<Value = SuiteName> {
    token(SuiteName::new)
}

fn app_label() -> impl Strategy<Value = AppLabel> {
    prop_oneof![name(AppLabel::new), Just(AppLabel::other())]
}

fn seconds() -> impl Strategy<Value = Seconds> {
    use proptest::num::f64::{NORMAL, POSITIVE, SUBNORMAL, ZERO};
    (POSITIVE | NORMAL | SUBNORMAL | ZERO).prop_map(|number| Seconds::new(number).unwrap())
}

/// A number that counts from 1.
fn counted() -> impl Strategy<Value = u32> {
    1..=u32::MAX
}

fn lease_key() -> impl Strategy<Value = LeaseKey> {
    (run_id(), counted(), any::<u64>()).prop_map(|(run, lease, epoch)| LeaseKey {
        run,
        lease: LeaseId(lease),
        epoch: Epoch(epoch),
    })
}

fn lease() -> impl Strategy<Value = Lease> {
    let work = prop_oneof![
        texts().prop_map(|labels| Work::Collect { labels }),
        (app_label(), texts(), option::of(vec(test_id(), 0..3)))
            .prop_map(|(app, labels, tests)| Work::Run { app, labels, tests }),
        vec(around::part(), 0..3).prop_map(|parts| Work::Combine { parts }),
    ];
    (lease_key(), work, any::<bool>(), suite_name(), texts(), option::of(seconds())).prop_map(
        |(key, work, checks, suite, without, time_left)| Lease {
            key,
            work,
            checks,
            suite,
            without,
            time_left,
        },
    )
}

fn grant() -> impl Strategy<Value = Grant> {
    let test = (test_id(), counted()).prop_map(|(id, r#try)| GrantedTest { id, r#try });
    (counted(), option::of(vec(test, 0..3)), any::<bool>(), any::<bool>())
        .prop_map(|(number, tests, last, ordered)| Grant { number, tests, last, ordered })
}

fn output() -> impl Strategy<Value = Output> {
    (text(), any::<u64>()).prop_map(|(text, omitted)| Output { text, omitted })
}

fn failures() -> impl Strategy<Value = Vec<Failure>> {
    let kind = prop_oneof![Just(FailureKind::Failure), Just(FailureKind::Error)];
    let failure = (kind, text(), text(), text(), option::of(text())).prop_map(
        |(kind, exception, message, traceback, subtest)| Failure {
            kind,
            exception,
            message,
            traceback,
            subtest,
        },
    );
    vec(failure, 0..3)
}

fn inventory() -> impl Strategy<Value = Inventory> {
    let error = (test_id(), app_label(), failures()).prop_map(|(id, app, failures)| LoadError {
        id,
        app,
        failures,
    });
    (vec(class(), 0..3), vec(error, 0..2))
        .prop_map(|(classes, errors)| Inventory { classes, errors })
}

fn class() -> impl Strategy<Value = Class> {
    let test = (test_id(), texts()).prop_map(|(id, tags)| Test { id, tags });
    let place = (text(), text(), option::of(any::<u32>()), any::<u32>(), any::<bool>());
    let lists = (texts(), texts(), texts(), vec(test, 0..3));
    (class_id(), app_label(), place, lists).prop_map(
        |(id, app, (module, file, line, phase, whole_module), (tags, databases, bases, tests))| {
            Class {
                id,
                app,
                module,
                file,
                line,
                phase,
                whole_module,
                tags,
                databases,
                bases,
                tests,
            }
        },
    )
}
