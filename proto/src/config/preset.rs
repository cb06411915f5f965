//! Well-known services, of which a project only says the version.
//!
//! They run as the service's own user, which official images allow, and keep their data out of
//! the images' volumes. What survives a crash of the machine is of no use to a test, so nothing is
//! flushed to the disk. Probes go over TCP: the servers that official images start while they
//! prepare a database listen on a socket file only, and must not pass for the real one.

use std::collections::BTreeMap;

use serde::de::{self, IntoDeserializer};
use serde::{Deserialize, Deserializer};

use crate::snapshot::{Ready, Service};

/// Where services with a preset keep their data: below a folder in which every user may make one.
const DATA: &str = "/var/tmp/muletrain";

/// The option by which MySQL and MariaDB are told where.
const DATADIR: &str = "--datadir";

/// A well-known service and its version, written as `postgres:16`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// Which.
    pub kind: Kind,
    /// Version, as the tag of its official image.
    pub version: String,
}

/// The services there are presets for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    Mysql,
    /// MariaDB.
    Mariadb,
    /// Redis.
    Redis,
}

impl<'de> Deserialize<'de> for Preset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (name, version) = text.split_once(':').unwrap_or((&text, ""));
        let kind = Kind::deserialize(name.into_deserializer())?;
        let letter = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        match version.is_empty() || !version.chars().all(letter) {
            true => Err(de::Error::custom(format!(
                "preset {text:?} needs a version, such as \"postgres:16\""
            ))),
            false => Ok(Self { kind, version: version.to_owned() }),
        }
    }
}

impl Preset {
    /// Reference of its official image.
    pub(super) fn image(&self) -> String {
        format!("{}:{}", self.kind.name(), self.version)
    }
}

impl Kind {
    /// The port it listens on.
    pub(super) fn port(self) -> u16 {
        match self {
            Self::Postgres => 5432,
            Self::Mysql | Self::Mariadb => 3306,
            Self::Redis => 6379,
        }
    }

    /// The variable by which Django projects find such a service.
    pub(super) fn variable(self) -> &'static str {
        match self {
            Self::Postgres | Self::Mysql | Self::Mariadb => "DATABASE_URL",
            Self::Redis => "REDIS_URL",
        }
    }

    /// Fills in what a service of this kind needs and does not say itself.
    pub(super) fn complete(self, service: &mut Service) {
        service.user.get_or_insert_with(|| self.user().to_owned());
        if service.command.is_empty() {
            service.command = self.command();
        }
        if self != Self::Redis {
            // Where it is told to store is where it does.
            let data = self.told(service).or(service.data.take());
            service.data = Some(data.unwrap_or_else(|| DATA.to_owned()));
        }
        let data = service.data.clone().unwrap_or_default();
        if matches!(self, Self::Mysql | Self::Mariadb) && self.told(service).is_none() {
            service.command.push(format!("{DATADIR}={data}"));
        }
        for (name, value) in self.environment(&data) {
            service.environment.entry(name.to_owned()).or_insert(value);
        }
        if service.ready == Ready::Started {
            service.ready = Ready::Command(words(self.probe()));
        }
    }

    /// The folder that its command or its environment names for its data.
    fn told(self, service: &Service) -> Option<String> {
        match self {
            Self::Postgres => service.environment.get("PGDATA").cloned(),
            Self::Mysql | Self::Mariadb => datadir(&service.command),
            Self::Redis => None,
        }
    }

    /// The value of its variable.
    pub(super) fn url(self, service: &Service) -> String {
        let set = |name: &str| encoded(service.environment.get(name).map_or("", String::as_str));
        let (scheme, user, password, database) = match self {
            Self::Postgres => {
                ("postgres", set("POSTGRES_USER"), set("POSTGRES_PASSWORD"), set("POSTGRES_DB"))
            }
            Self::Mysql => {
                ("mysql", "root".to_owned(), set("MYSQL_ROOT_PASSWORD"), set("MYSQL_DATABASE"))
            }
            Self::Mariadb => {
                ("mysql", "root".to_owned(), set("MARIADB_ROOT_PASSWORD"), set("MARIADB_DATABASE"))
            }
            Self::Redis => return format!("redis://{}:{}/0", service.name, self.port()),
        };
        format!("{scheme}://{user}:{password}@{}:{}/{database}", service.name, self.port())
    }

    /// Name of its official image.
    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
            Self::Redis => "redis",
        }
    }

    /// The user that official images have for it, whatever its number is in their variants.
    fn user(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql | Self::Mariadb => "mysql",
            Self::Redis => "redis",
        }
    }

    fn command(self) -> Vec<String> {
        match self {
            Self::Postgres => words(&[
                "postgres",
                "-c",
                "fsync=off",
                "-c",
                "synchronous_commit=off",
                "-c",
                "full_page_writes=off",
            ]),
            Self::Mysql => words(&[
                "mysqld",
                "--skip-log-bin",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-doublewrite=0",
                "--performance-schema=0",
            ]),
            Self::Mariadb => words(&[
                "mariadbd",
                "--character-set-server=utf8mb4",
                "--innodb-flush-log-at-trx-commit=0",
                "--innodb-doublewrite=0",
            ]),
            Self::Redis => words(&["redis-server", "--save", "", "--appendonly", "no"]),
        }
    }

    fn environment(self, data: &str) -> BTreeMap<&'static str, String> {
        let fixed: &[(&'static str, &str)] = match self {
            Self::Postgres => &[
                ("PGDATA", data),
                ("POSTGRES_USER", "postgres"),
                ("POSTGRES_PASSWORD", "postgres"),
                ("POSTGRES_DB", "postgres"),
                ("POSTGRES_HOST_AUTH_METHOD", "trust"),
                ("POSTGRES_INITDB_ARGS", "--no-sync"),
            ],
            Self::Mysql => &[("MYSQL_ROOT_PASSWORD", "mysql"), ("MYSQL_DATABASE", "django")],
            Self::Mariadb => {
                &[("MARIADB_ROOT_PASSWORD", "mariadb"), ("MARIADB_DATABASE", "django")]
            }
            Self::Redis => &[],
        };
        fixed.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    fn probe(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["pg_isready", "--quiet", "--host=127.0.0.1"],
            Self::Mysql => &["mysqladmin", "ping", "--silent", "--host=127.0.0.1"],
            Self::Mariadb => &["mariadb-admin", "ping", "--silent", "--host=127.0.0.1"],
            Self::Redis => &["redis-cli", "ping"],
        }
    }
}

/// The folder of data that a command of MySQL or MariaDB names; of several, the last counts.
fn datadir(command: &[String]) -> Option<String> {
    let after = command.iter().skip(1).map(Some).chain([None]);
    let named = command.iter().zip(after).filter_map(|(word, next)| {
        match word.strip_prefix(DATADIR)?.strip_prefix('=') {
            Some(folder) => Some(folder.to_owned()),
            None => next.filter(|_| word == DATADIR).cloned(),
        }
    });
    named.last()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// A text as part of a URL.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
