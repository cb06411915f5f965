//! What is remembered between runs: how long apps took, and the inventory of a snapshot.
//!
//! An SQLite file. It is an aid and never a condition: what cannot be read is worked out again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use muletrain_proto::id::{AppLabel, SuiteName};
use muletrain_proto::inventory::Inventory;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::Snapshot;
use rusqlite::{Connection, OptionalExtension, params};

use crate::pure::plan::Estimates;

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

    /// How long each app of a project is expected to take: the median of its latest runs.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn estimates(&self, project: &str) -> Result<Estimates, Error> {
        let mut query = self.connection.prepare_cached(
            "SELECT app, seconds FROM (
                 SELECT app, seconds, row_number() OVER (PARTITION BY app ORDER BY run DESC) AS age
                 FROM app_time WHERE project = ?1
             ) WHERE age <= ?2",
        )?;
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

    /// Remembers how long apps took in a run.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn learn(&mut self, project: &str, run: &str, times: &Estimates) -> Result<(), Error> {
        let transaction = self.connection.transaction()?;
        for (app, seconds) in times {
            transaction.execute(
                "INSERT OR REPLACE INTO app_time VALUES (?1, ?2, ?3, ?4)",
                params![project, app.as_str(), run, seconds.get()],
            )?;
        }
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
        Estimates::from([(AppLabel::new(app).unwrap(), Seconds::new(seconds).unwrap())])
    }

    #[test]
    fn an_estimate_is_the_median_of_recent_runs() {
        let mut history = History::in_memory().unwrap();
        for (run, seconds) in [900.0, 1.0, 2.0, 3.0, 90.0, 4.0].into_iter().enumerate() {
            history.learn("site", &format!("run-{run}"), &times("shop", seconds)).unwrap();
        }
        let estimates = history.estimates("site").unwrap();
        assert_eq!(estimates, times("shop", 3.0));
        assert!(history.estimates("another").unwrap().is_empty());
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
        assert_eq!(History::open(&path).unwrap().estimates("site").unwrap().len(), 1);

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
