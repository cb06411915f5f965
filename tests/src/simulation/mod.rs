//! The scheduler's decisions among simulated agents: how near a run comes to the shortest there
//! could be, beside other ways to share tests out. Everything follows from a seed.

pub mod fleet;
pub mod peers;
pub mod suite;

use std::fmt::Write as _;

use suite::{Shape, Suite};

/// What a case is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// The suite.
    pub shape: Shape,
    /// Pods at once.
    pub slots: usize,
    /// How far apart the speeds of hosts are, as the deviation of their logarithm.
    pub host_noise: f64,
    /// One host that works at a fifth of its speed.
    pub has_slow_host: bool,
}

/// Slots of one simulated host.
const SLOTS_OF_HOST: usize = 2;

impl Case {
    /// How many times as long as the lower bound each way takes, by its name.
    #[must_use]
    pub fn ratios(&self, seed: u64) -> Vec<(&'static str, f64)> {
        let mut random = fastrand::Rng::with_seed(seed);
        let suite = Suite::random(&self.shape, &mut random);
        let hosts = self.slots.div_ceil(SLOTS_OF_HOST);
        let mut speeds: Vec<f64> =
            (0..hosts).map(|_| suite::log_normal(&mut random, self.host_noise)).collect();
        if self.has_slow_host {
            speeds[0] /= 5.0;
        }
        let slots: Vec<f64> = (0..self.slots).map(|slot| speeds[slot / SLOTS_OF_HOST]).collect();
        let bound = suite.lower_bound(&slots);
        let mut ratios = vec![("muletrain", fleet::makespan(&suite, &slots) / bound)];
        ratios.extend(
            peers::all(&suite, &slots).into_iter().map(|(name, time)| (name, time / bound)),
        );
        ratios
    }

    /// Median and 95th percentile of every way's ratio over some seeds.
    #[must_use]
    pub fn summary(&self, seeds: std::ops::Range<u64>) -> Vec<(&'static str, f64, f64)> {
        let mut all: Vec<(&'static str, Vec<f64>)> = Vec::new();
        for seed in seeds {
            for (name, ratio) in self.ratios(seed) {
                match all.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, ratios)) => ratios.push(ratio),
                    None => all.push((name, vec![ratio])),
                }
            }
        }
        let summary = |(name, mut ratios): (&'static str, Vec<f64>)| {
            ratios.sort_by(f64::total_cmp);
            let at = |share: f64| ratios[((ratios.len() - 1) as f64 * share).round() as usize];
            (name, at(0.5), at(0.95))
        };
        all.into_iter().map(summary).collect()
    }
}

/// A table of cases, as median (95th percentile).
#[must_use]
pub fn table(cases: &[(&str, Case)], seeds: u64) -> String {
    let columns: Vec<Vec<_>> = cases.iter().map(|(_, case)| case.summary(0..seeds)).collect();
    let mut text = format!("{:24}", "makespan / lower bound");
    for (name, _) in cases {
        let _ = write!(text, "  {name:>20}");
    }
    text.push('\n');
    for row in 0..columns.first().map_or(0, Vec::len) {
        let _ = write!(text, "{:24}", columns[0][row].0);
        for column in &columns {
            let (_, median, worst) = column[row];
            let _ = write!(text, "  {:>20}", format!("{median:.2} ({worst:.2})"));
        }
        text.push('\n');
    }
    text
}
