//! Suites.

use std::collections::BTreeMap;

use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;

use super::{app_label, pairs, suite_name, text, texts};
use crate::id::SuiteName;
use crate::run::Selection;
use crate::suite::{Adapter, Suite};

pub(super) fn suite() -> impl Strategy<Value = Suite> {
    (suite_name(), adapter(), text(), pairs(), app_label(), text()).prop_map(
        |(name, adapter, path, environment, other, prefix)| Suite {
            name,
            adapter,
            path,
            environment,
            other,
            prefix,
        },
    )
}

pub(super) fn selections() -> impl Strategy<Value = BTreeMap<SuiteName, Selection>> {
    let wanted = texts().prop_map(|include| Selection { include, ..Selection::default() });
    btree_map(suite_name(), wanted, 0..2)
}

fn adapter() -> impl Strategy<Value = Adapter> {
    prop_oneof![
        (option::of(text()), option::of(text()))
            .prop_map(|(manage, settings)| Adapter::Django { manage, settings }),
        (option::of(text()), texts(), any::<bool>()).prop_map(|(settings, arguments, django)| {
            Adapter::Pytest { settings, arguments, django }
        }),
        texts().prop_map(|arguments| Adapter::Unittest { arguments }),
        (text(), option::of(text()), texts()).prop_map(|(command, list, junit)| Adapter::Command {
            command,
            list,
            junit
        }),
    ]
}
