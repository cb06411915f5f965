//! What of a collected inventory a run is about.

use std::collections::HashMap;

use muletrain_proto::id::{SuiteName, TestId};
use muletrain_proto::inventory::{Class, Inventory};
use muletrain_proto::journal::{Record, Unmatched};

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
    let unmatched = near::unmatched(selection, &targets, &inventory);
    if is_last(run, &suite) {
        notes.extend(nowhere(run, &suite, &unmatched));
    }
    // Patterns were checked before the run was accepted; one that is none selects nothing.
    let (inventory, _) = match Selector::new(selection) {
        Ok(selector) => selector.select(inventory, &targets),
        Err(_) => (Inventory::default(), 0),
    };
    let deselected = before - inventory.test_count();
    let deselected = u32::try_from(deselected).unwrap_or(u32::MAX);
    Record::Inventory { inventory, deselected, remembered, suite, notes, unmatched }
}

/// Whether every other suite is collected.
fn is_last(run: &Run, suite: &SuiteName) -> bool {
    run.suites().all(|other| other.name == *suite || run.collected.contains(&other.name))
}

/// What matches nothing in the last suite, nor in any other: what one lacks, another may have.
fn nowhere(run: &Run, last: &SuiteName, of_last: &[Unmatched]) -> Vec<String> {
    let in_suite = |suite: &SuiteName| match suite == last {
        true => of_last,
        false => run.unmatched.get(suite).map_or(&[][..], Vec::as_slice),
    };
    let mut missing: Vec<Unmatched> = Vec::new();
    for one in run.suites().flat_map(|suite| in_suite(&suite.name)) {
        match missing.iter_mut().find(|known| key(known) == key(one)) {
            Some(known) => *known = near::in_neither(known, one),
            None => missing.push(one.clone()),
        }
    }
    let is_matched = |one: &Unmatched| {
        run.suites().any(|suite| {
            let selection = run.options.selection_of(&suite.name);
            near::asked(selection, &run.targets_in(&suite.name)).contains(&key(one))
                && !in_suite(&suite.name).iter().any(|other| key(other) == key(one))
        })
    };
    missing.iter().filter(|one| !is_matched(one)).map(near::note).collect()
}

/// By which the same argument is known in several suites.
fn key(unmatched: &Unmatched) -> (&str, &str) {
    (&unmatched.argument, &unmatched.value)
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
    if !is_last(run, suite) {
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
