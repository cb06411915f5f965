//! A suite made up from a seed: its apps, their set-up times and classes, and what history says.

use std::f64::consts::TAU;

use fastrand::Rng;
use muletrain_proto::id::{AppLabel, ClassId, TestId};
use muletrain_proto::inventory::{Class, Inventory, Test};
use muletrain_proto::plan::{AppEstimate, ClassEstimate, Estimates};
use muletrain_proto::seconds::Seconds;

/// What kind of suite.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Test classes.
    pub classes: usize,
    /// Apps that they are in.
    pub apps: usize,
    /// Seconds that all of them take.
    pub work: f64,
    /// Seconds until a pod is ready for its first test.
    pub setup: f64,
    /// Share of the classes that never ran before.
    pub unknown: f64,
    /// How far estimates are off, as the deviation of the logarithm.
    pub noise: f64,
}

/// A suite.
#[derive(Debug, Clone)]
pub struct Suite {
    /// Its classes.
    pub classes: Vec<SimulatedClass>,
    /// What past runs say.
    pub estimates: Estimates,
    /// Seconds until a pod is ready for its first test.
    pub setup: f64,
}

/// A class.
#[derive(Debug, Clone)]
pub struct SimulatedClass {
    /// What the project's runner would say of it.
    pub class: Class,
    /// Seconds that it takes.
    pub seconds: f64,
    /// Seconds that history says.
    pub expected: Option<f64>,
}

impl Suite {
    /// Makes one up: times of classes are log-normal, and apps have very different sizes.
    ///
    /// # Panics
    /// Never: the names it makes up are names.
    #[must_use]
    pub fn random(shape: &Shape, random: &mut Rng) -> Self {
        let raw: Vec<f64> = (0..shape.classes).map(|_| log_normal(random, 1.5)).collect();
        let scale = shape.work / raw.iter().sum::<f64>();
        let mut estimates = Estimates::default();
        let mut classes = Vec::new();
        for (number, raw) in raw.into_iter().enumerate() {
            // The square makes the first apps much larger than the last.
            let app = (random.f64().powi(2) * shape.apps as f64) as usize;
            let app = AppLabel::new(format!("app{app}")).expect("it is a name");
            let seconds = raw * scale;
            let count = 1 + (log_normal(random, 1.0) * 5.0) as usize;
            let class = class(&app, number, count);
            let expected =
                (random.f64() >= shape.unknown).then(|| seconds * log_normal(random, shape.noise));
            if let Some(expected) = expected {
                let per_test = time(expected / count as f64);
                let tests = u32::try_from(count).unwrap_or(u32::MAX);
                let estimate = ClassEstimate { app: app.clone(), tests, per_test };
                estimates.classes.insert(class.id.clone(), estimate);
                let of_app = estimates
                    .apps
                    .entry(app)
                    .or_insert(AppEstimate { setup: time(shape.setup), work: Seconds::ZERO });
                of_app.work += time(expected);
            }
            classes.push(SimulatedClass { class, seconds, expected });
        }
        Self { classes, estimates, setup: shape.setup }
    }

    /// No schedule on slots of these speeds is shorter.
    #[must_use]
    pub fn lower_bound(&self, speeds: &[f64]) -> f64 {
        let apps = self.apps().len() as f64;
        let work = self.classes.iter().map(|class| class.seconds).sum::<f64>() + apps * self.setup;
        let longest = self.classes.iter().map(|class| class.seconds).fold(0.0, f64::max);
        let fastest = speeds.iter().copied().fold(0.0, f64::max);
        (work / speeds.iter().sum::<f64>()).max((self.setup + longest) / fastest)
    }

    /// Its apps.
    #[must_use]
    pub fn apps(&self) -> Vec<AppLabel> {
        let mut apps: Vec<AppLabel> =
            self.classes.iter().map(|class| class.class.app.clone()).collect();
        apps.sort();
        apps.dedup();
        apps
    }

    /// What the project's runner would find.
    #[must_use]
    pub fn inventory(&self) -> Inventory {
        let classes = self.classes.iter().map(|class| class.class.clone()).collect();
        Inventory { classes, errors: vec![] }
    }
}

fn class(app: &AppLabel, number: usize, count: usize) -> Class {
    let id = format!("{app}.tests.test_{number}.T");
    let test = |test| TestId::new(format!("{id}.test_{test}")).expect("it is a name");
    Class {
        id: ClassId::new(id.clone()).expect("it is a name"),
        app: app.clone(),
        module: format!("{app}.tests.test_{number}"),
        file: format!("{app}/tests/test_{number}.py"),
        line: None,
        phase: 0,
        whole_module: false,
        tags: vec![],
        databases: vec![],
        bases: vec![],
        tests: (0..count).map(|number| Test { id: test(number), tags: vec![] }).collect(),
    }
}

/// A number around 1 whose logarithm is normal (Box and Muller, 1958).
#[must_use]
pub fn log_normal(random: &mut Rng, deviation: f64) -> f64 {
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    (deviation * radius * (TAU * random.f64()).cos()).exp()
}

fn time(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap_or_default()
}
