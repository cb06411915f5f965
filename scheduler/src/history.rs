//! What is remembered between runs: how long apps and classes took, and the inventory of a snapshot.
//!
//! An SQLite file. It is an aid and never a condition: what cannot be read is worked out again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use muletrain_proto::id::{AppLabel, ClassId, SuiteName};
use muletrain_proto::inventory::Inventory;
use muletrain_proto::plan::{AppEstimate, ClassEstimate, Estimates};
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::Snapshot;
use rusqlite::{Connection, OptionalExtension, params};

/// Version of the schema that this build writes and the only one it reads.
const VERSION: i32 = 1;

/// Runs of an app that an estimate is the median of.
const RECENT: u32 = 5;

/// Inventories kept.
const INVENTORIES: u32 = 20;

const SCHEMA: &str = "
    CREATE TABLE app_time (
        project TEXT NOT NULL, app TEXT NOT NULL, run TEXT NOT NULL, seconds REAL NOT NULL,
        PRIMARY KEY (project, app, run)
    ) WITHOUT ROWID;
    CREATE TABLE inventory (
        snapshot TEXT NOT NULL, labels TEXT NOT NULL, tests TEXT NOT NULL,
        PRIMARY KEY (snapshot, labels)
    );
";

/// What was added to version 1 and can be done without.
const ADDITIONS: &str = "
    CREATE TABLE IF NOT EXISTS boot_time (
        project TEXT NOT NULL, run TEXT NOT NULL, seconds REAL NOT NULL,
        PRIMARY KEY (project, run)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS setup_time (
        project TEXT NOT NULL, app TEXT NOT NULL, run TEXT NOT NULL, seconds REAL NOT NULL,
        PRIMARY KEY (project, app, run)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS class_time (
        project TEXT NOT NULL, class TEXT NOT NULL, run TEXT NOT NULL, app TEXT NOT NULL,
        tests INTEGER NOT NULL, seconds REAL NOT NULL,
        PRIMARY KEY (project, class, run)
    ) WITHOUT ROWID;
";

/// What is remembered between runs.
#[derive(Debug)]
pub struct History {
    connection: Connection,
}

/// Why nothing can be remembered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite cannot use the file.
    #[error("cannot use the history {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// Another build wrote it.
    #[error("the history {} has version {found}, this build knows version {VERSION}", path.display())]
    Version {
        /// Which.
        path: PathBuf,
        /// The version it says.
        found: i32,
    },
    /// A query failed.
    #[error("cannot query the history")]
    Query(#[from] rusqlite::Error),
}

impl History {
    /// Opens a file, or makes one.
    ///
    /// # Errors
    /// When the file cannot be used, or another version wrote it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::File { path: path.to_owned(), source };
        let connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(Duration::from_secs(2)).map_err(failed)?;
        let found: i32 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        match found {
            VERSION => {}
            0 => {
                connection.execute_batch(SCHEMA).map_err(failed)?;
                connection.pragma_update(None, "user_version", VERSION).map_err(failed)?;
            }
            found => return Err(Error::Version { path: path.to_owned(), found }),
        }
        connection.execute_batch(ADDITIONS).map_err(failed)?;
        Ok(Self { connection })
    }

    /// A history that is forgotten with the process.
    ///
    /// # Errors
    /// When SQLite has no memory for it.
    pub fn in_memory() -> Result<Self, Error> {
        Self::open(Path::new(":memory:"))
    }

    /// How long the apps and classes of a project are expected to take: the medians of their
    /// latest runs.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn estimates(&self, project: &str) -> Result<Estimates, Error> {
        let whole = self.of_apps("app_time", project)?;
        let setups = self.of_apps("setup_time", project)?;
        let estimate = |(app, whole): (AppLabel, Seconds)| {
            let setup = setups.get(&app).copied().unwrap_or_default();
            let work = Seconds::new(whole.get() - setup.get()).unwrap_or_default();
            (app, AppEstimate { setup, work })
        };
        let apps = whole.into_iter().map(estimate).collect();
        Ok(Estimates { apps, classes: self.of_classes(project)? })
    }

    /// Medians of the latest runs, by app.
    fn of_apps(&self, table: &str, project: &str) -> Result<BTreeMap<AppLabel, Seconds>, Error> {
        let mut query = self.connection.prepare_cached(&format!(
            "SELECT app, seconds FROM (
                 SELECT app, seconds, row_number() OVER (PARTITION BY app ORDER BY run DESC) AS age
                 FROM {table} WHERE project = ?1
             ) WHERE age <= ?2"
        ))?;
        let rows = query.query_map(params![project, RECENT], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, f64>(1)?))
        })?;
        let mut times: BTreeMap<AppLabel, Vec<Seconds>> = BTreeMap::new();
        for row in rows {
            let (app, seconds) = row?;
            // A row that makes no sense teaches nothing.
            if let (Ok(app), Ok(seconds)) = (AppLabel::new(app), Seconds::new(seconds)) {
                times.entry(app).or_default().push(seconds);
            }
        }
        Ok(times.into_iter().filter_map(|(app, times)| Some((app, median(times)?))).collect())
    }

    fn of_classes(&self, project: &str) -> Result<BTreeMap<ClassId, ClassEstimate>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT class, app, tests, seconds FROM (
                 SELECT class, app, tests, seconds, run,
                        dense_rank() OVER (PARTITION BY app ORDER BY run DESC) AS age
                 FROM class_time WHERE project = ?1
             ) WHERE age <= ?2 ORDER BY run",
        )?;
        // A class that its app does not have any more is forgotten.
        let rows = query.query_map(params![project, RECENT], |row| {
            let names = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
            Ok((names, row.get::<_, u32>(2)?, row.get::<_, f64>(3)?))
        })?;
        let mut known: BTreeMap<ClassId, (ClassEstimate, Vec<Seconds>)> = BTreeMap::new();
        for row in rows {
            let ((class, app), tests, seconds) = row?;
            let names = (ClassId::new(class), AppLabel::new(app), Seconds::new(seconds));
            let (Ok(class), Ok(app), Ok(per_test)) = names else { continue };
            let latest = ClassEstimate { app, tests, per_test };
            let (estimate, times) = known.entry(class).or_insert((latest.clone(), Vec::new()));
            *estimate = latest;
            times.push(per_test);
        }
        let estimate = |(estimate, times)| {
            let per_test = median(times).unwrap_or_default();
            ClassEstimate { per_test, ..estimate }
        };
        Ok(known.into_iter().map(|(class, all)| (class, estimate(all))).collect())
    }

    /// How long a project's pods are expected to take until Django is loaded.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn boot(&self, project: &str) -> Result<Option<Seconds>, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT seconds FROM boot_time WHERE project = ?1 ORDER BY run DESC LIMIT ?2",
        )?;
        let rows = query.query_map(params![project, RECENT], |row| row.get::<_, f64>(0))?;
        let times = rows.collect::<Result<Vec<f64>, _>>()?;
        Ok(median(times.into_iter().filter_map(|seconds| Seconds::new(seconds).ok()).collect()))
    }

    /// Remembers how long a run's pods took until Django was loaded.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn learn_boot(&mut self, project: &str, run: &str, time: Seconds) -> Result<(), Error> {
        self.connection.execute(
            "INSERT OR REPLACE INTO boot_time VALUES (?1, ?2, ?3)",
            params![project, run, time.get()],
        )?;
        Ok(())
    }

    /// Remembers how long apps and classes took in a run.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn learn(&mut self, project: &str, run: &str, times: &Estimates) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for (app, times) in &times.apps {
            for (table, seconds) in [("app_time", times.whole()), ("setup_time", times.setup)] {
                transaction.execute(
                    &format!("INSERT OR REPLACE INTO {table} VALUES (?1, ?2, ?3, ?4)"),
                    params![project, app.as_str(), run, seconds.get()],
                )?;
            }
        }
        for (class, ClassEstimate { app, tests, per_test }) in &times.classes {
            transaction.execute(
                "INSERT OR REPLACE INTO class_time VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![project, class.as_str(), run, app.as_str(), tests, per_test.get()],
            )?;
        }
        transaction.execute(
            "DELETE FROM class_time WHERE (project, class, run) IN (
                 SELECT project, class, run FROM (
                     SELECT project, class, run,
                            row_number() OVER (PARTITION BY class ORDER BY run DESC) AS age
                     FROM class_time WHERE project = ?1
                 ) WHERE age > ?2)",
            params![project, RECENT],
        )?;
        Ok(transaction.commit()?)
    }

    /// What was collected for a suite of a snapshot and labels before.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn inventory(
        &self,
        snapshot: &Snapshot,
        suite: &SuiteName,
        labels: &[String],
    ) -> Result<Option<Inventory>, Error> {
        let query = "SELECT tests FROM inventory WHERE snapshot = ?1 AND labels = ?2";
        let key = params![snapshot.id.as_str(), asked(suite, labels)];
        let text: Option<String> =
            self.connection.query_row(query, key, |row| row.get(0)).optional()?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Remembers what was collected for a suite of a snapshot and labels.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remember(
        &mut self,
        snapshot: &Snapshot,
        suite: &SuiteName,
        labels: &[String],
        inventory: &Inventory,
    ) -> Result<(), Error> {
        let tests = serde_json::to_string(inventory).unwrap_or_default();
        let transaction = self.connection.transaction()?;
        transaction.execute(
            "INSERT OR REPLACE INTO inventory VALUES (?1, ?2, ?3)",
            params![snapshot.id.as_str(), asked(suite, labels), tests],
        )?;
        transaction.execute(
            "DELETE FROM inventory WHERE rowid NOT IN (
                 SELECT rowid FROM inventory ORDER BY rowid DESC LIMIT ?1)",
            params![INVENTORIES],
        )?;
        Ok(transaction.commit()?)
    }
}

/// What was asked for, as a key.
fn asked(suite: &SuiteName, labels: &[String]) -> String {
    let labels = labels.iter().map(String::as_str);
    [suite.as_str()].into_iter().chain(labels).collect::<Vec<_>>().join("\n")
}

fn median(mut times: Vec<Seconds>) -> Option<Seconds> {
    times.sort_by(|left, right| left.get().total_cmp(&right.get()));
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(app: &str, seconds: f64) -> Estimates {
        let [setup, work, per_test] =
            [seconds / 4.0, seconds * 0.75, seconds / 8.0].map(|time| Seconds::new(time).unwrap());
        let app = AppLabel::new(app).unwrap();
        let class = ClassEstimate { app: app.clone(), tests: 6, per_test };
        Estimates {
            apps: [(app, AppEstimate { setup, work })].into(),
            classes: [(ClassId::new("shop.tests.T").unwrap(), class)].into(),
        }
    }

    #[test]
    fn an_estimate_is_the_median_of_recent_runs() {
        let mut history = History::in_memory().unwrap();
        for (run, seconds) in [900.0, 1.0, 2.0, 3.0, 90.0, 4.0].into_iter().enumerate() {
            history.learn("site", &format!("run-{run}"), &times("shop", seconds)).unwrap();
        }
        let estimates = history.estimates("site").unwrap();
        assert_eq!(estimates, times("shop", 3.0));
        assert_eq!(history.estimates("another").unwrap(), Estimates::default());
    }

    #[test]
    fn a_class_that_its_app_does_not_have_any_more_is_forgotten() {
        let mut history = History::in_memory().unwrap();
        let renamed = |name: &str| {
            let known = times("shop", 8.0);
            let classes = known.classes.into_values();
            let classes = classes.map(|class| (ClassId::new(name).unwrap(), class)).collect();
            Estimates { classes, ..known }
        };
        history.learn("site", "run-0", &renamed("shop.tests.Old")).unwrap();
        for run in 1..=RECENT {
            assert_eq!(history.estimates("site").unwrap().classes.len(), 1 + usize::from(run > 1));
            history.learn("site", &format!("run-{run}"), &renamed("shop.tests.New")).unwrap();
        }
        assert_eq!(history.estimates("site").unwrap(), renamed("shop.tests.New"));
    }

    #[test]
    fn the_time_of_a_pod_is_that_of_recent_runs() {
        let mut history = History::in_memory().unwrap();
        assert_eq!(history.boot("site").unwrap(), None);
        for (run, seconds) in [9.0, 1.0, 2.0, 3.0].into_iter().enumerate() {
            let time = Seconds::new(seconds).unwrap();
            history.learn_boot("site", &format!("run-{run}"), time).unwrap();
        }
        assert_eq!(history.boot("site").unwrap(), Seconds::new(3.0).ok());
        assert_eq!(history.boot("another").unwrap(), None);
    }

    #[test]
    fn it_survives_being_closed_and_refuses_another_version() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.sqlite3");
        History::open(&path).unwrap().learn("site", "r", &times("shop", 1.0)).unwrap();
        assert_eq!(History::open(&path).unwrap().estimates("site").unwrap(), times("shop", 1.0));

        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = History::open(&path).unwrap_err().to_string();
        assert!(error.contains("has version 99"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_database_is_an_error_with_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("history.sqlite3");
        std::fs::write(&path, "not a database, and longer than a header of one").unwrap();
        assert!(History::open(&path).unwrap_err().to_string().contains("history.sqlite3"));
    }
}
