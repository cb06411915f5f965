//! What is around the tests: files that pods leave behind, shell commands, warnings, coverage.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::blob::digest;
use super::{output, run_id, seconds, text, texts};
use crate::artifact::{Artifact, Kind, Name};
use crate::coverage::{Combined, Coverage, Part};
use crate::event::{Event, Warning, Warnings};
use crate::hook::{Hook, Hooks, Scope, Stage};
use crate::id::RunId;

/// Any event that is about none of the tests themselves.
pub(super) fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        artifact().prop_map(Event::Artifact),
        hook().prop_map(Event::Hook),
        warnings().prop_map(Event::Warnings),
        combined().prop_map(Event::Combined),
    ]
}

fn name() -> impl Strategy<Value = Name> {
    "[a-z.]{0,4}[a-zß][a-z. ]{0,4}(/[a-z]{1,3}){0,2}".prop_map(|text| Name::new(text).unwrap())
}

fn artifact() -> impl Strategy<Value = Artifact> {
    let kind = select(Kind::ALL.to_vec());
    let sizes = (any::<u64>(), any::<u64>());
    (name(), kind, sizes, option::of(digest()), option::of(text())).prop_map(
        |(name, kind, (size, omitted), digest, lost)| Artifact {
            name,
            kind,
            size,
            digest,
            omitted,
            lost,
        },
    )
}

pub(super) fn hook() -> impl Strategy<Value = Hook> {
    let scope = select(vec![Scope::Run, Scope::Pod, Scope::App]);
    let stage = select(vec![Stage::Setup, Stage::Teardown]);
    let end = (option::of(any::<i32>()), option::of(any::<i32>()), any::<bool>());
    (scope, stage, text(), seconds(), end, output()).prop_map(
        |(scope, stage, command, seconds, (status, signal, timed_out), output)| Hook {
            scope,
            stage,
            command,
            seconds,
            status,
            signal,
            timed_out,
            output,
        },
    )
}

/// What became of a run's last commands.
pub(crate) fn teardown() -> impl Strategy<Value = (RunId, Vec<Hook>)> {
    (run_id(), vec(hook(), 0..3))
}

pub(super) fn hooks() -> impl Strategy<Value = Hooks> {
    let pod = (texts(), texts());
    let app = (texts(), texts());
    (pod, app, option::of(seconds()), vec(hook(), 0..2), any::<u32>()).prop_map(
        |((pod_setup, pod_teardown), (app_setup, app_teardown), timeout, ran, run_teardown)| {
            Hooks { pod_setup, pod_teardown, app_setup, app_teardown, timeout, ran, run_teardown }
        },
    )
}

pub(super) fn coverage() -> impl Strategy<Value = Coverage> {
    (option::of(text()), any::<bool>(), any::<bool>()).prop_map(|(config, xml, html)| Coverage {
        config,
        xml,
        html,
    })
}

pub(super) fn part() -> impl Strategy<Value = Part> {
    (name(), digest()).prop_map(|(name, digest)| Part { name, digest })
}

fn warnings() -> impl Strategy<Value = Warnings> {
    let warning = (text(), text(), text(), any::<u32>(), any::<u64>()).prop_map(
        |(category, message, file, line, count)| Warning { category, message, file, line, count },
    );
    (vec(warning, 0..3), any::<u64>())
        .prop_map(|(warnings, omitted)| Warnings { warnings, omitted })
}

fn combined() -> impl Strategy<Value = Combined> {
    let numbers = (any::<u32>(), any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>());
    (numbers, text(), option::of(text()), texts(), seconds()).prop_map(
        |(
            (files, statements, missing, branches, missing_branches),
            percent,
            demanded,
            notes,
            seconds,
        )| {
            Combined {
                files,
                statements,
                missing,
                branches,
                missing_branches,
                percent,
                demanded,
                notes,
                seconds,
            }
        },
    )
}
