//! What of a collected inventory a run is about.

use std::collections::HashMap;

use muletrain_proto::id::{SuiteName, TestId};
use muletrain_proto::inventory::{Class, Inventory};
use muletrain_proto::journal::Record;

use super::label::{is_inside, to_dotted};
use super::near;
use super::run::Run;
use super::select::Selector;

/// What unittest calls the module of a load error, before the module's own name.
const FAILED: &str = "unittest.loader._FailedTest.";

/// The record of what was collected of a suite, or remembered of it.
pub(super) fn select(
    run: &Run,
    suite: SuiteName,
    mut inventory: Inventory,
    remembered: bool,
) -> Record {
    let before = inventory.test_count();
    let mut notes = keep_only(run, &suite, &mut inventory);
    let (selection, targets) = (run.options.selection_of(&suite), run.targets_in(&suite));
    // What one suite lacks, another may have.
    if run.suites().count() == 1 {
        notes.extend(near::unmatched(selection, &targets, &inventory));
    }
    // Patterns were checked before the run was accepted; one that is none selects nothing.
    let (inventory, _) = match Selector::new(selection) {
        Ok(selector) => selector.select(inventory, &targets),
        Err(_) => (Inventory::default(), 0),
    };
    let deselected = before - inventory.test_count();
    let deselected = u32::try_from(deselected).unwrap_or(u32::MAX);
    Record::Inventory { inventory, deselected, remembered, suite, notes }
}

/// Leaves what was asked for by id, and tells what of that is not there.
fn keep_only(run: &Run, suite: &SuiteName, inventory: &mut Inventory) -> Vec<String> {
    let only: Vec<String> = run.options.only.iter().map(|id| to_dotted(id.as_str())).collect();
    if only.is_empty() {
        return Vec::new();
    }
    let places: HashMap<&str, usize> =
        only.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
    let mut found = vec![false; only.len()];
    let mut is_wanted = |names: &[String]| {
        let mut is_wanted = false;
        for place in names.iter().flat_map(|name| holding(name)).filter_map(|name| places.get(name))
        {
            found[*place] = true;
            is_wanted = true;
        }
        is_wanted
    };
    for class in &mut inventory.classes {
        let holders = holders(class);
        class.tests.retain(|test| {
            let id = to_dotted(test.id.as_str());
            is_wanted(&[&[id][..], &holders].concat())
        });
    }
    inventory.classes.retain(|class| !class.tests.is_empty());
    inventory.errors.retain(|error| is_wanted(&[failed_module(&error.id)]));
    let mut later = run.suites().filter(|other| !run.collected.contains(&other.name));
    if later.any(|other| other.name != *suite) {
        return Vec::new();
    }
    let is_known = |id: &TestId| {
        let wanted = to_dotted(id.as_str());
        run.ledger.tests().any(|(test, _)| is_inside(&to_dotted(test.as_str()), &wanted))
    };
    let missing = run.options.only.iter().zip(found).filter(|(id, found)| !found && !is_known(id));
    missing.map(|(id, _)| format!("{id} was asked for and is not there any more")).collect()
}

/// A dotted name and those of all that holds it.
fn holding(name: &str) -> impl Iterator<Item = &str> {
    let ends = name.match_indices('.').map(|(end, _)| end);
    ends.chain([name.len()]).map(|end| &name[..end])
}

/// The class and the module that loads it, by which its tests may be asked for.
fn holders(class: &Class) -> Vec<String> {
    vec![to_dotted(class.id.as_str()), to_dotted(&class.module)]
}

/// The module whose load error this is.
pub(super) fn failed_module(error: &TestId) -> String {
    let id = error.as_str();
    to_dotted(id.strip_prefix(FAILED).unwrap_or(id))
}
