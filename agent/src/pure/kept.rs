//! Databases that are set up once and kept: what they are, and what they depend on beside files.

use std::collections::BTreeMap;
use std::fmt;

use muletrain_proto::id::SuiteName;
use muletrain_proto::link::RunBrief;
use muletrain_proto::seconds::Seconds;
use muletrain_proto::snapshot::{Content, Service};
use muletrain_proto::suite::Adapter;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::pure::harness::PROTOCOL;

/// Version of [`Entry`] that is written, and the only one that is read.
pub const VERSION: u32 = 1;

/// Bytes of all databases of a project that are kept at most.
pub const CONTENT_LIMIT: usize = 64 << 20;

/// Time in setting databases up from which on it is worth a pod of its own.
const WORTHWHILE: f64 = 2.0;

/// A database, as the harness that set it up told it and as another is told.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Database {
    /// Its alias in the settings.
    pub alias: String,
    /// Such as `sqlite`.
    pub vendor: String,
    /// Name of the test database.
    pub name: String,
    /// Digest of the names of its tables.
    pub tables: String,
    /// Its content; none where that stays on its server.
    pub data: Option<String>,
    /// Time its set-up took.
    pub seconds: Seconds,
}

impl Database {
    /// About how many bytes it takes.
    #[must_use]
    pub fn weight(&self) -> usize {
        let data = self.data.as_ref().map_or(0, String::len);
        64 + self.alias.len() + self.vendor.len() + self.name.len() + self.tables.len() + data
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Database")
            .field("alias", &self.alias)
            .field("vendor", &self.vendor)
            .finish_non_exhaustive()
    }
}

/// All databases of a project, and what they were made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Version of this format.
    pub version: u32,
    /// What was read on the way to them, as the harness told it.
    pub manifest: Value,
    /// The databases.
    pub databases: Vec<Database>,
    /// Time all of it took.
    pub seconds: Seconds,
    /// Images of services with the databases that live on them, by the services' names.
    pub images: BTreeMap<String, String>,
}

/// Images of services with databases on them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Images {
    /// By the services' names.
    pub of_services: BTreeMap<String, String>,
    /// Bytes they take beyond the services' own images.
    pub bytes: u64,
}

impl Entry {
    /// The databases that another pod can begin with.
    pub fn usable(&self) -> impl Iterator<Item = &Database> {
        let on_servers = !self.images.is_empty();
        self.databases.iter().filter(move |database| on_servers || database.data.is_some())
    }

    /// Time that a pod saves by it.
    #[must_use]
    pub fn saves(&self) -> Seconds {
        self.usable().fold(Seconds::ZERO, |sum, database| sum + database.seconds)
    }
}

/// What setting databases up took last.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// Of this, what a pod saves that begins with kept ones.
    pub saves: Seconds,
    /// All of it.
    pub whole: Seconds,
}

impl Times {
    /// Whether databases are worth a pod of their own.
    #[must_use]
    pub fn are_worthwhile(&self) -> bool {
        self.saves.get() >= WORTHWHILE
    }

    /// Whether a pod that took this long shows that they may be worth it by now. A host that is
    /// busy makes everything slower, so twice as long says nothing.
    #[must_use]
    pub fn are_outgrown_by(&self, whole: Seconds) -> bool {
        whole.get() > 2.0 * self.whole.get().max(WORTHWHILE)
    }
}

/// Where pods are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `os/architecture`.
    pub platform: String,
    /// What tells the engine from others, which do not have its images.
    pub engine: Option<String>,
}

/// Everything that databases depend on and that is no file, as a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

impl Key {
    /// The key of the databases of a suite on an agent whose pods are in this place.
    #[must_use]
    pub fn new(brief: &RunBrief, suite: &SuiteName, place: &Place) -> Self {
        let snapshot = &brief.snapshot;
        let runtime = match snapshot.content {
            Content::Docker { .. } => "docker",
            Content::Process { .. } => "process",
        };
        let surroundings = Surroundings {
            version: muletrain_proto::VERSION,
            protocol: PROTOCOL,
            runtime,
            platform: &place.platform,
            engine: place.engine.as_deref(),
            python: &snapshot.python,
            suite: snapshot
                .suite(suite)
                .map(|suite| (&suite.adapter, suite.path.as_str(), &suite.environment)),
            set: &snapshot.environment.set,
            passed: &brief.secrets.0,
            services: &snapshot.services,
        };
        // Only maps with keys that are no strings can fail, and there are none.
        let bytes = serde_json::to_vec(&surroundings).unwrap_or_default();
        Self(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The digest in hexadecimal.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a [`Key`] is made of. Values of variables are in here and nowhere else that lasts.
#[derive(Serialize)]
struct Surroundings<'a> {
    version: &'a str,
    protocol: u32,
    runtime: &'a str,
    platform: &'a str,
    engine: Option<&'a str>,
    python: &'a str,
    suite: Option<(&'a Adapter, &'a str, &'a BTreeMap<String, String>)>,
    set: &'a BTreeMap<String, String>,
    passed: &'a BTreeMap<String, String>,
    services: &'a [Service],
}

#[cfg(test)]
mod tests {
    use muletrain_proto::run::Secrets;

    use super::*;
    use crate::samples::{brief, image, kept, place};

    type Change = fn(&mut RunBrief);

    #[test]
    fn what_is_no_file_and_matters_changes_the_key() {
        let key = |change: Change| {
            let mut brief = brief(image());
            change(&mut brief);
            Key::new(&brief, &SuiteName::default(), &place())
        };
        let same = key(|_| {});
        let changes: [Change; 6] = [
            |brief| brief.snapshot.python = "python3.13".to_owned(),
            |brief| {
                let settings = Some("config.ci".to_owned());
                brief.snapshot.suites[0].adapter = Adapter::Django { manage: None, settings };
            },
            |brief| {
                let set = &mut brief.snapshot.suites[0].environment;
                set.insert("A".to_owned(), "1".to_owned());
            },
            |brief| {
                brief.snapshot.environment.set.insert("A".to_owned(), "1".to_owned());
            },
            |brief| brief.secrets = Secrets([("A".to_owned(), "1".to_owned())].into()),
            |brief| brief.snapshot.content = Content::Process { root: "/app".to_owned() },
        ];
        for change in changes {
            assert_ne!(key(change), same);
        }
        assert_ne!(key(changes[3]), key(changes[4]), "a variable is not where it was");
        let elsewhere: [fn(&mut Place); 2] = [
            |place| place.platform = "linux/arm64".to_owned(),
            |place| place.engine = Some("another".to_owned()),
        ];
        for change in elsewhere {
            let mut place = place();
            change(&mut place);
            assert_ne!(Key::new(&brief(image()), &SuiteName::default(), &place), same);
        }
    }

    #[test]
    fn where_the_project_is_and_what_its_files_hold_are_not_in_the_key() {
        let mut other = brief(image());
        other.run = muletrain_proto::id::RunId::new("other").unwrap();
        other.snapshot.id = muletrain_proto::id::SnapshotId::new("other").unwrap();
        other.snapshot.content = Content::Docker {
            image: "sha256:1".to_owned(),
            platform: "linux/amd64".to_owned(),
            root: "/srv".to_owned(),
            user: "1000:1000".to_owned(),
            base: None,
        };
        let key = |brief| Key::new(brief, &SuiteName::default(), &place());
        assert_eq!(key(&other), key(&brief(image())));
    }

    #[test]
    fn a_database_on_a_server_saves_nothing_without_an_image_of_that() {
        let mut entry = kept(3.0);
        entry.databases.push(Database { data: None, ..entry.databases[0].clone() });
        assert_eq!((entry.usable().count(), entry.saves().get()), (1, 3.0));
        entry.images.insert("db".to_owned(), "sha256:0".to_owned());
        assert_eq!((entry.usable().count(), entry.saves().get()), (2, 6.0));
    }

    #[test]
    fn what_took_no_time_is_worth_another_look_once_it_takes_long() {
        let seconds = |seconds| Seconds::new(seconds).unwrap();
        let times = |saves, whole| Times { saves: seconds(saves), whole: seconds(whole) };
        assert!(times(2.0, 3.0).are_worthwhile());
        let small = times(0.5, 0.6);
        assert!(!small.are_worthwhile());
        assert!(!small.are_outgrown_by(seconds(3.9)) && small.are_outgrown_by(seconds(4.1)));
        let on_a_server_elsewhere = times(0.0, 60.0);
        assert!(!on_a_server_elsewhere.are_outgrown_by(seconds(100.0)));
    }

    #[test]
    fn the_content_is_not_in_debug_output() {
        assert!(!format!("{:?}", kept(3.0)).contains("eJw="));
    }
}
