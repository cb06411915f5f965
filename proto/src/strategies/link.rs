//! Messages between agent, scheduler and people.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::snapshot::{options, snapshot};
use super::{counted, event, grant, lease, lease_key, pairs, run_id, seconds, text, token};
use crate::id::{AgentId, BootId};
use crate::link::{Hello, Report, RunBrief, Runtime, ToAgent, ToScheduler};
use crate::run::{Overview, Secrets, State, Submission, Watch};

/// Anything an agent says.
pub(crate) fn to_scheduler() -> impl Strategy<Value = ToScheduler> {
    let report = (lease_key(), 1..=u64::MAX, event())
        .prop_map(|(lease, sequence, event)| ToScheduler::Event(Report { lease, sequence, event }));
    prop_oneof![
        1 => hello().prop_map(ToScheduler::Hello),
        1 => any::<u32>().prop_map(ToScheduler::Credit),
        1 => vec(lease_key(), 0..3).prop_map(ToScheduler::Heartbeat),
        8 => report,
        1 => Just(ToScheduler::Draining),
    ]
}

/// Anything a scheduler says.
pub(crate) fn to_agent() -> impl Strategy<Value = ToAgent> {
    let brief = (run_id(), snapshot().boxed(), options().boxed(), pairs()).prop_map(
        |(run, snapshot, options, secrets)| RunBrief {
            run,
            snapshot,
            options,
            secrets: Secrets(secrets),
        },
    );
    prop_oneof![
        seconds().prop_map(|heartbeat| ToAgent::Welcome { heartbeat }),
        brief.prop_map(|brief| ToAgent::Run(Box::new(brief))),
        lease().prop_map(ToAgent::Lease),
        (lease_key(), grant()).prop_map(|(lease, grant)| ToAgent::Grant(lease, grant)),
        (lease_key(), text()).prop_map(|(lease, reason)| ToAgent::Revoke { lease, reason }),
        (lease_key(), any::<u64>())
            .prop_map(|(lease, sequence)| ToAgent::Acknowledge { lease, sequence }),
        run_id().prop_map(ToAgent::Forget),
    ]
}

pub(super) fn hello() -> impl Strategy<Value = Hello> {
    let runtime = prop_oneof![Just(Runtime::Docker), Just(Runtime::Process)];
    let names = (token(AgentId::new), token(BootId::new), text(), text(), text());
    (names, counted(), runtime, pairs(), vec(lease_key(), 0..3)).prop_map(
        |((agent, boot, host, version, platform), slots, runtime, labels, leases)| Hello {
            agent,
            boot,
            host,
            version,
            slots,
            runtime,
            platform,
            labels,
            leases,
        },
    )
}

/// Any run that is handed in.
pub(crate) fn submission() -> impl Strategy<Value = Submission> {
    (snapshot(), options(), pairs()).prop_map(|(snapshot, options, secrets)| Submission {
        snapshot,
        options,
        secrets: Secrets(secrets),
    })
}

/// Any wish to follow a run.
pub(crate) fn watch() -> impl Strategy<Value = Watch> {
    (option::of(run_id()), any::<u64>()).prop_map(|(run, from)| Watch { run, from })
}

/// Any run of a list.
pub(crate) fn overview() -> impl Strategy<Value = Overview> {
    let state = prop_oneof![Just(State::Running), Just(State::Stopping), Just(State::Closed)];
    let counts = (any::<u32>(), any::<u32>(), any::<u32>());
    (run_id(), text(), any::<u64>(), state, counts).prop_map(
        |(run, project, opened_at, state, (tests, settled, red))| Overview {
            run,
            project,
            opened_at,
            state,
            tests,
            settled,
            red,
        },
    )
}
