//! Snapshots and what a user asks of a run.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{app_label, pairs, seconds, text, texts, token};
use crate::id::SnapshotId;
use crate::run::{Limits, Options, Selection, Stop};
use crate::snapshot::{
    App, Content, Environment, Project, Ready, Revision, Service, Snapshot, VERSION,
};

pub(super) fn snapshot() -> impl Strategy<Value = Snapshot> {
    let revision = (text(), option::of(text()), any::<bool>())
        .prop_map(|(commit, branch, dirty)| Revision { commit, branch, dirty });
    let project = (option::of(text()), option::of(text()))
        .prop_map(|(manage, settings)| Project { manage, settings });
    let environment = (pairs(), texts()).prop_map(|(set, pass)| Environment { set, pass });
    let head = (token(SnapshotId::new), text(), option::of(revision), content(), text());
    let lists = (vec(service(), 0..2), vec(app(), 0..3), texts());
    (head, project, environment, lists).prop_map(
        |((id, name, revision, content, python), project, environment, (services, apps, notes))| {
            Snapshot {
                version: VERSION,
                id,
                name,
                revision,
                content,
                python,
                project,
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
        (text(), text(), text(), text()).prop_map(|(image, platform, root, user)| {
            Content::Docker { image, platform, root, user }
        }),
        text().prop_map(|root| Content::Process { root }),
    ]
}

fn service() -> impl Strategy<Value = Service> {
    let container =
        (text(), text(), option::of(text()), option::of(text()), texts(), pairs(), texts());
    let use_of_it = (option::of(text()), ready(), seconds(), texts(), pairs());
    (container, use_of_it).prop_map(
        |(
            (name, image, image_id, user, command, environment, tmpfs),
            (data, ready, ready_limit, aliases, provides),
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
    (app_label(), text(), text(), texts()).prop_map(|(label, module, path, test_files)| App {
        label,
        module,
        path,
        test_files,
    })
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
    (texts(), selection, count(), time(), time(), count(), limits, any::<bool>()).prop_map(
        |(
            labels,
            selection,
            max_failures,
            test_timeout,
            timeout,
            slots,
            limits,
            fresh_databases,
        )| Options {
            labels,
            selection,
            max_failures,
            test_timeout,
            timeout,
            slots,
            limits,
            fresh_databases,
        },
    )
}

pub(super) fn stop() -> impl Strategy<Value = Stop> {
    prop_oneof![
        Just(Stop::Interrupted),
        any::<u32>().prop_map(|failures| Stop::FailureLimit { failures }),
        seconds().prop_map(|limit| Stop::Timeout { limit }),
        Just(Stop::CannotBoot),
        text().prop_map(|reason| Stop::Infrastructure { reason }),
        text().prop_map(|reason| Stop::NothingSelected { reason }),
    ]
}
