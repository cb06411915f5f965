//! Lines of a journal.

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::event::verdict;
use super::link::hello;
use super::snapshot::{options, snapshot, stop};
use super::{
    app_label, counted, event, grant, inventory, lease, run_id, seconds, suite_name, test_id, text,
    texts, token,
};
use crate::id::{AgentId, ClassId, LeaseId};
use crate::journal::{Entry, Header, Record, Unmatched};
use crate::lease::Place;
use crate::plan::{AppEstimate, ClassEstimate, Estimates, Plan, PlannedApp};

/// A header of this version.
pub(crate) fn header() -> impl Strategy<Value = Header> {
    run_id().prop_map(Header::new)
}

/// Any entry.
pub(crate) fn entry() -> impl Strategy<Value = Entry> {
    (any::<u64>(), any::<u64>(), record()).prop_map(|(number, at, record)| Entry {
        number,
        at,
        record,
    })
}

fn record() -> impl Strategy<Value = Record> {
    prop_oneof![about_run().boxed(), about_lease().boxed(), about_tests().boxed()]
}

fn about_run() -> impl Strategy<Value = Record> {
    let agent = || token(AgentId::new);
    prop_oneof![
        (snapshot().boxed(), options().boxed()).prop_map(|(snapshot, options)| {
            Record::Opened { snapshot: Box::new(snapshot), options: Box::new(options) }
        }),
        plan().prop_map(|plan| Record::Planned { plan }),
        estimates().prop_map(|estimates| Record::Estimated { estimates }),
        hello().prop_map(|agent| Record::AgentJoined { agent }),
        (agent(), any::<bool>(), text()).prop_map(|(agent, lost, reason)| Record::AgentLeft {
            agent,
            lost,
            reason
        }),
        stop().prop_map(|stop| Record::Stopping { stop }),
        Just(Record::TearingDown),
        super::around::hook().prop_map(|hook| Record::TornDown { hook }),
        Just(Record::Closed),
    ]
}

fn about_lease() -> impl Strategy<Value = Record> {
    let place = (token(AgentId::new), any::<u32>()).prop_map(|(agent, slot)| Place { agent, slot });
    prop_oneof![
        (lease(), option::of(grant()), place).prop_map(|(lease, grant, place)| Record::Leased {
            lease,
            grant,
            place
        }),
        (counted(), 1..=u64::MAX, event()).prop_map(|(lease, sequence, event)| {
            Record::Observed { lease: LeaseId(lease), sequence, event }
        }),
        (counted(), grant())
            .prop_map(|(lease, grant)| Record::Granted { lease: LeaseId(lease), grant }),
        (counted(), text())
            .prop_map(|(lease, reason)| Record::LeaseLost { lease: LeaseId(lease), reason }),
    ]
}

fn about_tests() -> impl Strategy<Value = Record> {
    let lease = option::of(counted().prop_map(LeaseId));
    prop_oneof![
        (inventory(), any::<u32>(), any::<bool>(), suite_name(), texts(), unmatched()).prop_map(
            |(inventory, deselected, remembered, suite, notes, unmatched)| {
                Record::Inventory { inventory, deselected, remembered, suite, notes, unmatched }
            }
        ),
        (test_id(), counted(), verdict(), text(), lease, any::<bool>()).prop_map(
            |(test, r#try, verdict, reason, lease, lost)| Record::Settled {
                test,
                r#try,
                verdict,
                reason,
                lease,
                lost,
            }
        ),
    ]
}

fn estimates() -> impl Strategy<Value = Estimates> {
    let app = (seconds(), seconds()).prop_map(|(setup, work)| AppEstimate { setup, work });
    let class = (app_label(), any::<u32>(), seconds())
        .prop_map(|(app, tests, per_test)| ClassEstimate { app, tests, per_test });
    let apps = btree_map(app_label(), app, 0..3);
    (apps, btree_map(token(ClassId::new), class, 0..3))
        .prop_map(|(apps, classes)| Estimates { apps, classes })
}

fn plan() -> impl Strategy<Value = Plan> {
    let times = || option::of(seconds());
    let app = (app_label(), times(), times(), any::<u32>(), text()).prop_map(
        |(app, estimate, longest, test_files, reason)| PlannedApp {
            app,
            estimate,
            longest,
            test_files,
            reason,
        },
    );
    (vec(app, 0..3), any::<u32>(), seconds()).prop_map(|(apps, slots, lower_bound)| Plan {
        apps,
        slots,
        lower_bound,
    })
}

fn unmatched() -> impl Strategy<Value = Vec<Unmatched>> {
    let one = (text(), text(), text(), texts())
        .prop_map(|(argument, value, what, near)| Unmatched { argument, value, what, near });
    vec(one, 0..3)
}
