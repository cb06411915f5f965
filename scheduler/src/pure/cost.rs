//! What a test is expected to take, by what past runs say of its class.

use std::collections::BTreeMap;

use muletrain_proto::id::AppLabel;
use muletrain_proto::inventory::Class;
use muletrain_proto::plan::Estimates;
use muletrain_proto::seconds::Seconds;

/// A length of time in microseconds, which many tests do not fill.
pub type Micros = u64;

/// What tests are expected to take.
#[derive(Debug, Clone, Default)]
pub struct Costs {
    estimates: Estimates,
    /// For classes that never ran: the upper quartile of their app's others.
    of_apps: BTreeMap<AppLabel, Micros>,
    /// For apps of which no class ever ran.
    of_any: Option<Micros>,
}

impl Costs {
    /// By what past runs say.
    #[must_use]
    pub fn new(estimates: Estimates) -> Self {
        let mut by_app: BTreeMap<&AppLabel, Vec<Micros>> = BTreeMap::new();
        for class in estimates.classes.values() {
            by_app.entry(&class.app).or_default().push(micros(class.per_test));
        }
        let of_any = upper_quartile(by_app.values().flatten().copied().collect());
        let of_apps = by_app.into_iter();
        let of_apps = of_apps.filter_map(|(app, all)| Some((app.clone(), upper_quartile(all)?)));
        Self { of_apps: of_apps.collect(), of_any, estimates }
    }

    /// The time of one test of a class; none where nothing is known of anything.
    #[must_use]
    pub fn per_test(&self, class: &Class) -> Option<Micros> {
        let known = self.estimates.classes.get(&class.id).map(|known| micros(known.per_test));
        known.or_else(|| self.of_apps.get(&class.app).copied()).or(self.of_any)
    }

    /// The time of a pod of an app before its first test.
    #[must_use]
    pub fn setup(&self, app: &AppLabel) -> Option<Micros> {
        self.estimates.apps.get(app).map(|known| micros(known.setup))
    }
}

/// What a run itself shows of how long things take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    setups: Mean,
    tests: Mean,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Mean {
    sum: Micros,
    count: u64,
}

/// What a test takes of which nothing at all is known.
const UNKNOWN_TEST: Micros = 50_000;

impl Pace {
    /// A pod is ready for its first test.
    pub fn set_up(&mut self, time: Micros) {
        self.setups.add(time);
    }

    /// A test has ended.
    pub fn tested(&mut self, time: Micros) {
        self.tests.add(time);
    }

    /// What a pod takes before its first test; none where there was none yet.
    #[must_use]
    pub fn setup(&self) -> Option<Micros> {
        self.setups.get()
    }

    /// What a test takes of which nothing is known.
    #[must_use]
    pub fn test(&self) -> Micros {
        self.tests.get().unwrap_or(UNKNOWN_TEST)
    }
}

impl Mean {
    fn add(&mut self, value: Micros) {
        self.sum = self.sum.saturating_add(value);
        self.count += 1;
    }

    fn get(&self) -> Option<Micros> {
        self.sum.checked_div(self.count)
    }
}

/// A length of time in microseconds.
#[must_use]
pub fn micros(seconds: Seconds) -> Micros {
    u64::try_from(seconds.duration().as_micros()).unwrap_or(u64::MAX)
}

/// What a quarter of them reach or exceed.
fn upper_quartile(mut all: Vec<Micros>) -> Option<Micros> {
    all.sort_unstable();
    all.get((all.len() * 3 / 4).min(all.len().checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests {
    use muletrain_proto::id::ClassId;
    use muletrain_proto::plan::ClassEstimate;

    use super::*;

    fn class(app: &str, name: &str) -> Class {
        Class {
            id: ClassId::new(format!("{app}.tests.{name}")).unwrap(),
            app: AppLabel::new(app).unwrap(),
            module: format!("{app}.tests"),
            file: format!("{app}/tests.py"),
            line: None,
            phase: 0,
            whole_module: false,
            tags: vec![],
            databases: vec![],
            bases: vec![],
            tests: vec![],
        }
    }

    fn costs(known: &[(&str, &str, f64)]) -> Costs {
        let known = known.iter().map(|(app, name, seconds)| {
            let class = class(app, name);
            let per_test = Seconds::new(*seconds).unwrap();
            (class.id, ClassEstimate { app: class.app, tests: 1, per_test })
        });
        Costs::new(Estimates { apps: BTreeMap::new(), classes: known.collect() })
    }

    #[test]
    fn a_class_that_never_ran_counts_as_the_upper_quartile_of_its_app() {
        let costs = costs(&[
            ("shop", "A", 1.0),
            ("shop", "B", 2.0),
            ("shop", "C", 3.0),
            ("shop", "D", 4.0),
            ("blog", "A", 0.5),
        ]);
        assert_eq!(costs.per_test(&class("shop", "B")), Some(2_000_000));
        assert_eq!(costs.per_test(&class("shop", "New")), Some(4_000_000));
        assert_eq!(costs.per_test(&class("blog", "New")), Some(500_000));
        assert_eq!(costs.per_test(&class("new", "New")), Some(3_000_000));
    }

    #[test]
    fn where_nothing_ever_ran_nothing_is_known() {
        assert_eq!(costs(&[]).per_test(&class("shop", "A")), None);
    }
}
