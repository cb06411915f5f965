//! Other ways to share classes out among slots, each at its best: every slot is set up once and
//! for all apps, nothing is lost, and messages take no time.

use super::suite::{SimulatedClass, Suite};

/// How long each takes, by its name.
#[must_use]
pub fn all(suite: &Suite, speeds: &[f64]) -> Vec<(&'static str, f64)> {
    let classes: Vec<&SimulatedClass> = suite.classes.iter().collect();
    let mut by_count = classes.clone();
    by_count.sort_by_key(|class| std::cmp::Reverse(class.class.tests.len()));
    let times = |shares: Vec<Vec<&SimulatedClass>>| {
        let one = |(share, speed): (&Vec<&SimulatedClass>, &f64)| {
            (suite.setup + share.iter().map(|class| class.seconds).sum::<f64>()) / speed
        };
        shares.iter().zip(speeds).map(one).fold(0.0, f64::max)
    };
    vec![
        ("static, by history", times(longest_first(&classes, speeds.len()))),
        ("static, by count", times(in_chunks(&classes, speeds.len()))),
        ("xdist worksteal", steal(suite, &classes, speeds)),
        ("xdist loadscope", pull(suite, &by_count, speeds)),
        ("pull, as they come", pull(suite, &classes, speeds)),
    ]
}

/// Each class to the slot that has least, the longest first, as pytest-split does.
fn longest_first<'a>(classes: &[&'a SimulatedClass], slots: usize) -> Vec<Vec<&'a SimulatedClass>> {
    let known: Vec<f64> = classes.iter().filter_map(|class| class.expected).collect();
    let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
    let expected = |class: &SimulatedClass| class.expected.unwrap_or(mean);
    let mut classes = classes.to_vec();
    classes.sort_by(|one, other| expected(other).total_cmp(&expected(one)));
    let mut shares = vec![(0.0_f64, Vec::new()); slots];
    for class in classes {
        let least = shares.iter_mut().min_by(|one, other| one.0.total_cmp(&other.0));
        let Some((time, share)) = least else { continue };
        *time += expected(class);
        share.push(class);
    }
    shares.into_iter().map(|(_, share)| share).collect()
}

/// The same number of tests to each slot, in order.
fn in_chunks<'a>(classes: &[&'a SimulatedClass], slots: usize) -> Vec<Vec<&'a SimulatedClass>> {
    let all: usize = classes.iter().map(|class| class.class.tests.len()).sum();
    let mut shares = vec![Vec::new(); slots];
    let mut before = 0;
    for class in classes {
        shares[(before * slots / all.max(1)).min(slots - 1)].push(*class);
        before += class.class.tests.len();
    }
    shares
}

/// Whoever is free takes the next one.
fn pull(suite: &Suite, classes: &[&SimulatedClass], speeds: &[f64]) -> f64 {
    let mut free: Vec<f64> = speeds.iter().map(|speed| suite.setup / speed).collect();
    for class in classes {
        let next = (0..free.len()).min_by(|one, other| free[*one].total_cmp(&free[*other]));
        let Some(slot) = next else { continue };
        free[slot] += class.seconds / speeds[slot];
    }
    free.into_iter().fold(0.0, f64::max)
}

/// Equal shares by count; whoever is through takes half of what the longest queue has left, by
/// count.
fn steal(suite: &Suite, classes: &[&SimulatedClass], speeds: &[f64]) -> f64 {
    let mut queues = in_chunks(classes, speeds.len());
    queues.iter_mut().for_each(|queue| queue.reverse());
    let mut free: Vec<f64> = speeds.iter().map(|speed| suite.setup / speed).collect();
    let mut is_through = vec![false; speeds.len()];
    loop {
        let working = (0..free.len()).filter(|slot| !is_through[*slot]);
        let next = working.min_by(|one, other| free[*one].total_cmp(&free[*other]));
        let Some(slot) = next else { return free.into_iter().fold(0.0, f64::max) };
        if queues[slot].is_empty() {
            let longest = (0..queues.len()).max_by_key(|queue| queues[*queue].len());
            let victim = longest.unwrap_or(slot);
            let half = queues[victim].len() / 2;
            queues[slot] = queues[victim].drain(..half).collect();
        }
        match queues[slot].pop() {
            Some(class) => free[slot] += class.seconds / speeds[slot],
            None => is_through[slot] = true,
        }
    }
}
