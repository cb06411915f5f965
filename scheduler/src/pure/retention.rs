//! Which stored runs go, and which are packed, given how old and how large they are.

use std::collections::BTreeSet;
use std::time::Duration;

use muletrain_proto::config::Results;
use muletrain_proto::id::RunId;

/// The newest runs, whose journals stay as text: these are looked into.
const AS_TEXT: usize = 3;

/// Seconds of a day.
const DAY: u64 = 24 * 60 * 60;

/// A run as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Which. Ids begin with their time.
    pub run: RunId,
    /// Time since something was written about it.
    pub age: Duration,
    /// All of it.
    pub bytes: u64,
    /// Whether something may be written about it yet.
    pub live: bool,
    /// Whether its journal is text that can be packed.
    pub packable: bool,
}

/// How many runs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// For how long.
    pub age: Duration,
    /// In how much room, all together.
    pub bytes: u64,
    /// Of the newest, whatever their age and size.
    pub newest: usize,
}

impl From<&Results> for Rules {
    fn from(results: &Results) -> Self {
        Self {
            age: Duration::from_secs(DAY * u64::from(results.days())),
            bytes: results.bytes(),
            newest: usize::try_from(results.runs()).unwrap_or(usize::MAX),
        }
    }
}

/// What is to be done with stored runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// These go, the oldest first.
    pub remove: Vec<RunId>,
    /// The journals of these are packed, the oldest first.
    pub pack: Vec<RunId>,
}

impl Plan {
    /// Whether all is as it should be.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.pack.is_empty()
    }
}

/// Decides. Nothing goes for want of room while something can be packed: there may be enough of it
/// afterwards.
#[must_use]
pub fn decide(mut runs: Vec<Kept>, rules: &Rules) -> Plan {
    runs.sort_by(|one, other| other.run.cmp(&one.run));
    let mut plan = Plan::default();
    let removable = |(place, kept): &(usize, &Kept)| *place >= rules.newest && !kept.live;
    let oldest_first = || runs.iter().enumerate().rev();
    let too_old = oldest_first().filter(removable).filter(|(_, kept)| kept.age > rules.age);
    plan.remove.extend(too_old.map(|(_, kept)| kept.run.clone()));
    let gone: BTreeSet<&RunId> = plan.remove.iter().collect();
    let stays = |(_, kept): &(usize, &Kept)| !gone.contains(&kept.run);
    let packable = oldest_first()
        .filter(stays)
        .filter(|(place, kept)| *place >= AS_TEXT && kept.packable && !kept.live);
    plan.pack.extend(packable.map(|(_, kept)| kept.run.clone()));
    if plan.pack.is_empty() {
        let mut bytes: u64 = oldest_first()
            .filter(stays)
            .fold(0, |total, (_, kept)| total.saturating_add(kept.bytes));
        let mut too_much = Vec::new();
        for (_, kept) in oldest_first().filter(stays).filter(removable) {
            if bytes <= rules.bytes {
                break;
            }
            bytes = bytes.saturating_sub(kept.bytes);
            too_much.push(kept.run.clone());
        }
        plan.remove.extend(too_much);
    }
    plan
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(number: usize) -> RunId {
        RunId::new(format!("202601{:02}-120000", number + 1)).unwrap()
    }

    fn kept(number: usize, days: u64, bytes: u64) -> Kept {
        let age = Duration::from_secs(DAY * days);
        Kept { run: run(number), age, bytes, live: false, packable: false }
    }

    const RULES: Rules = Rules { age: Duration::from_secs(30 * DAY), bytes: 100, newest: 2 };

    #[test]
    fn the_old_go_and_of_the_others_so_many_that_the_rest_fits() {
        let runs =
            vec![kept(0, 31, 1), kept(1, 29, 60), kept(2, 20, 30), kept(3, 10, 40), kept(4, 0, 30)];
        let plan = decide(runs.clone(), &RULES);
        assert_eq!((plan.remove, plan.pack), (vec![run(0), run(1)], vec![]));
        assert!(decide(runs[2..].to_vec(), &RULES).is_empty(), "100 bytes are left");
    }

    #[test]
    fn the_newest_stay_however_old_and_large() {
        let runs = vec![kept(0, 400, 1000), kept(1, 300, 1000)];
        assert!(decide(runs, &RULES).is_empty());
    }

    #[test]
    fn what_can_be_packed_is_packed_before_anything_goes_for_want_of_room() {
        let packable = |number| Kept { packable: true, ..kept(number, 1, 60) };
        let runs: Vec<Kept> = (0..5).map(packable).collect();
        let plan = decide(runs, &RULES);
        assert_eq!((plan.remove, plan.pack), (vec![], vec![run(0), run(1)]));
    }

    #[test]
    fn the_rules_are_those_of_the_configuration() {
        let rules = Rules::from(&Results::default());
        let days = Duration::from_secs(30 * DAY);
        assert_eq!(rules, Rules { age: days, bytes: 1 << 30, newest: 10 });
    }

    fn any_runs() -> impl Strategy<Value = Vec<Kept>> {
        let one = (0..60_u64, 0..50_u64, any::<bool>(), any::<bool>());
        proptest::collection::vec(one, 0..12).prop_map(|runs| {
            let kept = |(number, (days, bytes, live, packable))| Kept {
                live,
                packable,
                ..kept(number, days, bytes)
            };
            runs.into_iter().enumerate().map(kept).collect()
        })
    }

    fn any_rules() -> impl Strategy<Value = Rules> {
        (0..60_u64, 0..300_u64, 0..6_usize).prop_map(|(days, bytes, newest)| Rules {
            age: Duration::from_secs(DAY * days),
            bytes,
            newest,
        })
    }

    proptest! {
        #[test]
        fn nothing_that_is_live_or_new_is_touched(runs in any_runs(), rules in any_rules()) {
            let plan = decide(runs.clone(), &rules);
            for (place, kept) in runs.iter().rev().enumerate() {
                let removed = plan.remove.contains(&kept.run);
                let packed = plan.pack.contains(&kept.run);
                prop_assert!(!removed || (!kept.live && place >= rules.newest));
                prop_assert!(!packed || (!kept.live && place >= AS_TEXT && kept.packable));
                prop_assert!(!(removed && packed));
            }
        }

        #[test]
        fn in_the_end_no_run_is_too_old_and_all_fit(runs in any_runs(), rules in any_rules()) {
            let mut left = runs;
            for _ in 0..3 {
                let plan = decide(left.clone(), &rules);
                left.retain(|kept| !plan.remove.contains(&kept.run));
                for kept in &mut left {
                    kept.packable &= !plan.pack.contains(&kept.run);
                }
            }
            prop_assert!(decide(left.clone(), &rules).is_empty());
            let removable: Vec<&Kept> =
                left.iter().rev().skip(rules.newest).filter(|kept| !kept.live).collect();
            prop_assert!(removable.iter().all(|kept| kept.age <= rules.age));
            let bytes: u64 = left.iter().map(|kept| kept.bytes).sum();
            prop_assert!(bytes <= rules.bytes || removable.is_empty());
        }

        #[test]
        fn what_goes_for_want_of_room_is_older_than_what_stays(
            runs in any_runs(), rules in any_rules(),
        ) {
            let plan = decide(runs.clone(), &rules);
            let young = |kept: &&Kept| kept.age <= rules.age && !kept.live;
            let newest_gone =
                runs.iter().filter(young).rfind(|kept| plan.remove.contains(&kept.run));
            if let Some(gone) = newest_gone {
                let stayed = runs.iter().filter(young).find(|kept| !plan.remove.contains(&kept.run));
                prop_assert!(stayed.is_none_or(|kept| kept.run > gone.run));
            }
        }
    }
}
