//! How near the scheduler comes to the lower bound among simulated agents. The figures of many
//! seeds, beside other ways, are printed by `tests/bench/schedule`.

use std::collections::BTreeMap;

use muletrain_tests::simulation::Case;
use muletrain_tests::simulation::suite::Shape;

/// Median and 95th percentile of some seeds, by the name of the way.
fn ratios(case: &Case) -> BTreeMap<&'static str, (f64, f64)> {
    let summary = case.summary(0..20);
    summary.into_iter().map(|(name, median, worst)| (name, (median, worst))).collect()
}

fn shape() -> Shape {
    Shape { classes: 150, apps: 10, work: 600.0, setup: 2.0, unknown: 0.05, noise: 0.2 }
}

#[test]
fn two_slots_of_one_host_are_through_together() {
    let case = Case { shape: shape(), slots: 2, host_noise: 0.0, has_slow_host: false };
    let (median, worst) = ratios(&case)["muletrain"];
    assert!(median < 1.05 && worst < 1.15, "{median:.3} ({worst:.3})");
}

#[test]
fn eight_slots_are_nearer_to_the_bound_than_a_static_split() {
    let shape = Shape { classes: 300, work: 1200.0, apps: 20, ..shape() };
    let case = Case { shape, slots: 8, host_noise: 0.15, has_slow_host: false };
    let all = ratios(&case);
    let (median, _) = all["muletrain"];
    assert!(median < 1.15, "{all:?}");
    for other in ["static, by history", "static, by count", "xdist worksteal"] {
        assert!(median < all[other].0, "{all:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let case = Case { shape: shape(), slots: 4, host_noise: 0.15, has_slow_host: true };
    assert_eq!(case.ratios(7), case.ratios(7));
    assert_ne!(case.ratios(7), case.ratios(8));
}
