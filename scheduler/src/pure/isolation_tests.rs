//! Whatever makes a test fail is found, in few runs.

use proptest::prelude::*;

use super::*;

fn test(number: usize) -> TestId {
    TestId::new(format!("a.T.test_{number}")).unwrap()
}

/// Runs a search in a world in which `is_red` says how the test ends after others.
fn search(
    mut isolation: Isolation,
    is_red: impl Fn(&[TestId]) -> bool,
) -> (Finding, u32, Vec<Probe>) {
    let mut probes = Vec::new();
    while let Some(probe) = isolation.probe() {
        assert!(probes.len() < 200, "the search does not end");
        isolation.told(is_red(&probe.before));
        probes.push(probe);
    }
    (isolation.finding().unwrap().clone(), isolation.runs(), probes)
}

fn order(count: usize) -> Vec<TestId> {
    (0..count).map(test).collect()
}

fn is_subsequence(part: &[TestId], whole: &[TestId]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|one| whole.any(|other| other == one))
}

proptest! {
    #[test]
    fn one_polluter_among_many_is_found_in_few_runs(
        (count, culprit) in (1..500_usize).prop_flat_map(|count| (Just(count), 0..count)),
    ) {
        let isolation = Isolation::new(Some(order(count)), None);
        let (finding, runs, _) = search(isolation, |before| before.contains(&test(culprit)));
        let tests = vec![test(culprit)];
        prop_assert_eq!(finding, Finding::After { tests, is_red_alone: false, is_least: true });
        prop_assert!(runs <= 2 + 2 * (usize::BITS - count.leading_zeros()));
    }

    #[test]
    fn several_that_only_act_together_are_all_found(
        count in 1..40_usize,
        culprits in proptest::collection::btree_set(0..40_usize, 1..4),
    ) {
        let culprits: Vec<TestId> =
            culprits.into_iter().filter(|number| *number < count).map(test).collect();
        prop_assume!(!culprits.is_empty());
        let whole = order(count);
        let is_red = |before: &[TestId]| culprits.iter().all(|one| before.contains(one));
        let (finding, runs, probes) = search(Isolation::new(Some(whole.clone()), None), is_red);
        prop_assert!(runs <= LIMIT);
        for probe in &probes {
            prop_assert!(is_subsequence(&probe.before, &whole), "the order is kept");
        }
        let Finding::After { tests, is_least, .. } = finding else {
            return Err(TestCaseError::fail("nothing was found"));
        };
        prop_assert!(is_red(&tests), "what is told does make the test fail");
        prop_assert!(!is_least || tests == culprits);
    }

    #[test]
    fn whatever_the_runs_say_the_search_ends(
        pod in 0..30_usize,
        serial in 0..30_usize,
        answers in proptest::collection::vec(any::<bool>(), 200),
    ) {
        let mut isolation = Isolation::new(Some(order(pod)), Some(order(serial)));
        for answer in answers {
            match isolation.probe() {
                Some(_) => isolation.told(answer),
                None => break,
            }
        }
        prop_assert!(isolation.finding().is_some() && isolation.runs() <= LIMIT);
    }
}

#[test]
fn a_test_that_fails_alone_needs_no_other() {
    let orders = || Isolation::new(Some(order(3)), Some(order(5)));
    let (finding, runs, _) = search(orders(), |_| true);
    assert_eq!((finding, runs), (Finding::Always, 3));
    assert_eq!(search(orders(), |_| false).0, Finding::Never);
    assert_eq!(search(Isolation::new(None, None), |_| true).0, Finding::Always);
}

#[test]
fn a_test_that_counts_on_another_is_told_as_such() {
    let isolation = Isolation::new(None, Some(order(8)));
    let (finding, ..) = search(isolation, |before| !before.contains(&test(3)));
    let tests = vec![test(3)];
    assert_eq!(finding, Finding::After { tests, is_red_alone: true, is_least: true });
}

#[test]
fn the_order_of_a_serial_run_is_tried_where_that_of_the_pod_tells_nothing() {
    let isolation = Isolation::new(Some(order(2)), Some(order(9)));
    let (finding, _, probes) = search(isolation, |before| before.contains(&test(7)));
    assert_eq!(probes[1].kind, Kind::Whole(Order::Pod));
    assert_eq!(probes[2].kind, Kind::Whole(Order::Serial));
    assert!(matches!(finding, Finding::After { tests, .. } if tests == [test(7)]));
}
