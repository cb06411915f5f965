//! Snapshots and what a user asks of a run.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::blob::digest;
use super::suite::{selections, suite};
use super::{app_label, pairs, seconds, suite_name, test_id, text, texts, token};
use crate::config::Flaky;
use crate::id::SnapshotId;
use crate::run::{Isolation, Iteration, Limits, Options, RetriedTests, RetryRule, Selection, Stop};
use crate::snapshot::{
    App, Base, Content, Environment, Ready, Revision, Service, Snapshot, VERSION,
};

pub(super) fn snapshot() -> impl Strategy<Value = Snapshot> {
    let revision = (text(), option::of(text()), any::<bool>())
        .prop_map(|(commit, branch, dirty)| Revision { commit, branch, dirty });
    let environment = (pairs(), texts()).prop_map(|(set, pass)| Environment { set, pass });
    let head = (token(SnapshotId::new), text(), option::of(revision), content(), text());
    let lists = (vec(service(), 0..2), vec(app(), 0..3), texts());
    (head, vec(suite(), 0..3), environment, lists).prop_map(
        |((id, name, revision, content, python), suites, environment, (services, apps, notes))| {
            Snapshot {
                version: VERSION,
                id,
                name,
                revision,
                content,
                python,
                suites,
                environment,
                services,
                apps,
                notes,
            }
        },
    )
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        (text(), text(), text(), text(), option::of(base())).prop_map(
            |(image, platform, root, user, base)| {
                Content::Docker { image, platform, root, user, base }
            }
        ),
        text().prop_map(|root| Content::Process { root }),
    ]
}

fn base() -> impl Strategy<Value = Base> {
    (text(), digest(), 0..100_usize).prop_map(|(image, digest, layers)| {
        let reference = format!("registry.example:5000/team@{digest}").parse();
        Base { image, reference: reference.expect("it is one"), layers }
    })
}

fn service() -> impl Strategy<Value = Service> {
    let container =
        (text(), text(), option::of(text()), option::of(text()), texts(), pairs(), texts());
    let use_of_it = (option::of(text()), ready(), seconds(), texts(), texts(), pairs());
    (container, use_of_it).prop_map(
        |(
            (name, image, image_id, user, command, environment, tmpfs),
            (data, ready, ready_limit, aliases, only, provides),
        )| Service {
            name,
            image,
            image_id,
            user,
            command,
            environment,
            tmpfs,
            data,
            ready,
            ready_limit,
            aliases,
            only,
            provides,
        },
    )
}

fn ready() -> impl Strategy<Value = Ready> {
    prop_oneof![
        Just(Ready::Started),
        texts().prop_map(Ready::Command),
        any::<u16>().prop_map(Ready::Port),
        text().prop_map(Ready::Log),
    ]
}

fn app() -> impl Strategy<Value = App> {
    (app_label(), text(), text(), texts(), suite_name()).prop_map(
        |(label, module, path, test_files, suite)| App { label, module, path, test_files, suite },
    )
}

pub(super) fn options() -> impl Strategy<Value = Options> {
    let selection = (texts(), texts(), texts(), texts(), texts()).prop_map(
        |(include, exclude, tags, exclude_tags, patterns)| Selection {
            include,
            exclude,
            tags,
            exclude_tags,
            patterns,
        },
    );
    let limits = (any::<u64>(), any::<u32>(), option::of(any::<u32>()), any::<u32>()).prop_map(
        |(memory, processes, cpu_millis, output)| Limits { memory, processes, cpu_millis, output },
    );
    let time = || option::of(seconds());
    let count = || option::of(any::<u32>());
    let times = (time(), time(), time(), time());
    let isolation = prop_oneof![Just(Isolation::App), Just(Isolation::Fork)];
    let databases = (any::<bool>(), option::of(text()), isolation);
    let wanted = (texts(), selection, count(), times, count(), limits, databases).prop_map(
        |(
            labels,
            selection,
            max_failures,
            (test_timeout, class_timeout, app_timeout, timeout),
            slots,
            limits,
            (fresh_databases, db_prefix, isolation),
        )| Options {
            labels,
            selection,
            max_failures,
            test_timeout,
            class_timeout,
            app_timeout,
            timeout,
            slots,
            limits,
            fresh_databases,
            db_prefix,
            isolation,
            ..Options::default()
        },
    );
    // On the heap: strategies within strategies outgrow the stack of a test.
    (wanted.boxed(), selections().boxed(), order(), around().boxed()).prop_map(
        |(wanted, suites, order, around)| Options {
            hooks: around.hooks,
            artifacts: around.artifacts,
            artifact_limit: around.artifact_limit,
            coverage: around.coverage,
            suites,
            retries: order.retries,
            retry_rules: order.retry_rules,
            flaky: order.flaky,
            shuffle: order.shuffle,
            serial: order.serial,
            only: order.only,
            ordered: order.ordered,
            iteration: order.iteration,
            ..wanted
        },
    )
}

/// Options of what is around the tests; the others have their defaults.
fn around() -> impl Strategy<Value = Options> {
    let limit = option::of(any::<u64>());
    (super::around::hooks(), texts(), limit, option::of(super::around::coverage())).prop_map(
        |(hooks, artifacts, artifact_limit, coverage)| Options {
            hooks,
            artifacts,
            artifact_limit,
            coverage,
            ..Options::default()
        },
    )
}

/// Options of the order in which tests run, and how often; the others have their defaults.
fn order() -> impl Strategy<Value = Options> {
    let tests =
        prop_oneof![text().prop_map(RetriedTests::Match), text().prop_map(RetriedTests::Tag)];
    let rule = (tests, any::<u32>()).prop_map(|(tests, retries)| RetryRule { tests, retries });
    let iteration =
        (any::<u32>(), any::<u32>()).prop_map(|(number, limit)| Iteration { number, limit });
    (
        (any::<u32>(), vec(rule, 0..3), prop_oneof![Just(Flaky::Pass), Just(Flaky::Fail)]),
        option::of(any::<u64>()),
        texts(),
        vec(test_id(), 0..3),
        any::<bool>(),
        option::of(iteration),
    )
        .prop_map(|((retries, retry_rules, flaky), shuffle, serial, only, ordered, iteration)| {
            Options {
                retries,
                retry_rules,
                flaky,
                shuffle,
                serial,
                only,
                ordered,
                iteration,
                ..Options::default()
            }
        })
        .boxed()
}

pub(super) fn stop() -> impl Strategy<Value = Stop> {
    prop_oneof![
        Just(Stop::Interrupted),
        any::<u32>().prop_map(|failures| Stop::FailureLimit { failures }),
        seconds().prop_map(|limit| Stop::Timeout { limit }),
        Just(Stop::CannotBoot),
        text().prop_map(|reason| Stop::SetupFailed { reason }),
        text().prop_map(|reason| Stop::Infrastructure { reason }),
        text().prop_map(|reason| Stop::NothingSelected { reason }),
    ]
}
