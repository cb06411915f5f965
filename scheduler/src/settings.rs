//! Arguments and the project's configuration become one set of settings.
//!
//! An argument goes before its `MULETRAIN_*` variable, which goes before the file.

use std::path::{Path, PathBuf};

use muletrain_proto::config::{self, Config, Runtime};
use muletrain_proto::run::{Limits, Options, Selection};

use crate::cli::Selecting;

/// What a run of a project needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Folder of the project.
    pub project: PathBuf,
    /// What the user asks for.
    pub options: Options,
    /// What tests run in.
    pub runtime: Runtime,
    /// Docker Engine, where not the default one.
    pub docker_host: Option<String>,
    /// JUnit file to write.
    pub junit: Option<PathBuf>,
    /// Where runs are kept.
    pub results: PathBuf,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder is none.
    #[error(
        "there is no folder {}; the project's folder comes first and labels after it, as in \
         `muletrain-scheduler run . {}`",
        path.display(), path.display()
    )]
    NoFolder {
        /// As given.
        path: PathBuf,
    },
    /// The configuration cannot be read or is wrong.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// An argument is out of its range.
    #[error("--cpus {0} is no number of processors; it must be more than 0")]
    Cpus(f64),
}

impl Settings {
    /// Reads the project's configuration and puts the arguments on top of it.
    ///
    /// # Errors
    /// When the project is no folder, or the configuration or an argument is wrong.
    pub fn find(arguments: &Selecting) -> Result<Self, Error> {
        if !arguments.path.is_dir() {
            return Err(Error::NoFolder { path: arguments.path.clone() });
        }
        merge(arguments, &config::find(&arguments.path)?.config)
    }
}

fn merge(arguments: &Selecting, config: &Config) -> Result<Settings, Error> {
    let run = &config.run;
    let or = |given: &[String], configured: &[String]| match given {
        [] => configured.to_owned(),
        given => given.to_owned(),
    };
    let selection = Selection {
        include: or(&arguments.include, &run.include),
        exclude: or(&arguments.exclude, &run.exclude),
        tags: or(&arguments.tags, &run.tags),
        exclude_tags: or(&arguments.exclude_tags, &run.exclude_tags),
        patterns: arguments.patterns.clone(),
    };
    let defaults = Limits::default();
    let limits = Limits {
        memory: arguments.memory.or(run.memory).unwrap_or(defaults.memory),
        processes: arguments.processes.or(run.processes).unwrap_or(defaults.processes),
        cpu_millis: arguments.cpus.or(run.cpus).map(to_millis).transpose()?,
        output: defaults.output,
    };
    let failfast = arguments.failfast.then_some(1);
    Ok(Settings {
        project: arguments.path.clone(),
        options: Options {
            labels: arguments.labels.clone(),
            selection,
            max_failures: failfast.or(arguments.max_failures).or(run.max_failures),
            test_timeout: arguments.test_timeout.or(run.test_timeout),
            timeout: arguments.timeout.or(run.timeout),
            slots: arguments.slots.or(run.slots),
            limits,
            fresh_databases: arguments.fresh_databases.unwrap_or(run.fresh_db),
        },
        runtime: arguments.runtime.or(run.runtime).unwrap_or_default(),
        docker_host: arguments.docker_host.clone().or_else(|| run.docker_host.clone()),
        junit: arguments.junit.clone(),
        results: arguments
            .results
            .clone()
            .unwrap_or_else(|| state_folder(&arguments.path).join("runs")),
    })
}

/// Where a project keeps what muletrain leaves behind.
#[must_use]
pub fn state_folder(project: &Path) -> PathBuf {
    project.join(".muletrain")
}

fn to_millis(cpus: f64) -> Result<u32, Error> {
    let millis = (cpus * 1000.0).round();
    match millis >= 1.0 && millis <= f64::from(u32::MAX) {
        // Within the range, so nothing is cut off.
        true => Ok(millis as u32),
        false => Err(Error::Cpus(cpus)),
    }
}

#[cfg(test)]
mod tests {
    use muletrain_proto::seconds::Seconds;

    use super::*;

    fn config() -> Config {
        let text = "[run]\nslots = 3\ntags = ['fast']\nmax_failures = 9\ntest_timeout = '5s'\n";
        config::parse(text, "muletrain.toml").unwrap()
    }

    #[test]
    fn the_file_fills_in_what_no_argument_says() {
        let settings = merge(&Selecting::default(), &config()).unwrap();
        assert_eq!(settings.options.selection.tags, ["fast"]);
        assert_eq!(settings.options.max_failures, Some(9));
        assert_eq!(settings.options.test_timeout, Some(Seconds::new(5.0).unwrap()));
        assert_eq!((settings.options.slots, settings.runtime), (Some(3), Runtime::Auto));
    }

    #[test]
    fn an_argument_goes_before_the_file() {
        let arguments = Selecting {
            tags: vec!["slow".into()],
            failfast: true,
            cpus: Some(1.5),
            ..Selecting::default()
        };
        let settings = merge(&arguments, &config()).unwrap();
        assert_eq!(settings.options.selection.tags, ["slow"]);
        assert_eq!(settings.options.max_failures, Some(1));
        assert_eq!(settings.options.limits.cpu_millis, Some(1500));
    }

    #[test]
    fn fresh_databases_may_be_the_projects_wish_and_not_the_users() {
        let config = config::parse("[run]\nfresh_db = true\n", "muletrain.toml").unwrap();
        for (given, wanted) in [(None, true), (Some(false), false), (Some(true), true)] {
            let arguments = Selecting { fresh_databases: given, ..Selecting::default() };
            let settings = merge(&arguments, &config).unwrap();
            assert_eq!(settings.options.fresh_databases, wanted, "{given:?}");
        }
        let settings = merge(&Selecting::default(), &Config::default()).unwrap();
        assert!(!settings.options.fresh_databases);
    }

    #[test]
    fn impossible_numbers_of_processors_are_refused() {
        for cpus in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let arguments = Selecting { cpus: Some(cpus), ..Selecting::default() };
            assert!(merge(&arguments, &Config::default()).is_err(), "{cpus}");
        }
    }

    #[test]
    fn a_label_in_the_place_of_the_folder_is_explained() {
        let arguments = Selecting { path: "blog.tests".into(), ..Selecting::default() };
        let error = Settings::find(&arguments).unwrap_err().to_string();
        assert!(error.contains("`muletrain-scheduler run . blog.tests`"), "{error}");
    }
}
