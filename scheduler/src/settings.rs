//! Arguments and the project's configuration become one set of settings.
//!
//! An argument goes before its `MULETRAIN_*` variable, which goes before the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use muletrain_proto::config::{self, Config, Runtime, ShowOutput};
use muletrain_proto::coverage::Coverage;
use muletrain_proto::hook::Hooks;
use muletrain_proto::id::SuiteName;
use muletrain_proto::run::{Limits, Options, RetriedTests, RetryRule, Selection};

use crate::cli::{self, RunArguments};
use crate::pure::retention::Rules;

/// What a run of a project needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Folder of the project.
    pub project: PathBuf,
    /// What the user asks for.
    pub options: Options,
    /// The stored run that says what to run, by name.
    pub rerun: Option<String>,
    /// The test whose failure is to be repeated.
    pub reproduce: Option<String>,
    /// The test of which it is to be found out what makes it fail.
    pub isolate: Option<String>,
    /// Runs at most, until something is red.
    pub until_failure: Option<u32>,
    /// Whether each repetition of a run is shuffled by a seed of its own.
    pub reshuffles: bool,
    /// What tests run in.
    pub runtime: Runtime,
    /// Docker Engine, where not the default one.
    pub docker_host: Option<String>,
    /// Commands that are run here before anything is handed out.
    pub run_setup: Vec<String>,
    /// Commands that are run here after everything else.
    pub run_teardown: Vec<String>,
    /// Of which tests the report shows what they printed.
    pub show_output: ShowOutput,
    /// Documents to write.
    pub documents: cli::Documents,
    /// Where runs are kept.
    pub results: PathBuf,
    /// How many of them, and for how long.
    pub retention: Rules,
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
    /// Two seeds were given.
    #[error("--shuffle={0} and --seed {1} are two seeds; keep one")]
    Seeds(u64, u64),
}

impl Settings {
    /// Reads the project's configuration and puts the arguments on top of it.
    ///
    /// # Errors
    /// When the project is no folder, or the configuration or an argument is wrong.
    pub fn find(arguments: &RunArguments) -> Result<Self, Error> {
        if !arguments.path.is_dir() {
            return Err(Error::NoFolder { path: arguments.path.clone() });
        }
        merge(arguments, &config::find(&arguments.path)?.config)
    }
}

fn merge(arguments: &RunArguments, config: &Config) -> Result<Settings, Error> {
    let run = &config.run;
    let defaults = Limits::default();
    let limits = Limits {
        memory: arguments.limits.memory.or(run.memory).unwrap_or(defaults.memory),
        processes: arguments.limits.processes.or(run.processes).unwrap_or(defaults.processes),
        cpu_millis: arguments.limits.cpus.or(run.cpus).map(to_millis).transpose()?,
        output: defaults.output,
    };
    let coverage = coverage(arguments, &config.coverage);
    let or = |given: &[String], configured: &[String]| match given {
        [] => configured.to_owned(),
        given => given.to_owned(),
    };
    let (labels, suite_labels) = labels(arguments, config);
    let failfast = arguments.limits.failfast.then_some(1);
    let shuffle = shuffle(&arguments.order, run)?;
    Ok(Settings {
        project: arguments.path.clone(),
        options: Options {
            labels,
            suite_labels,
            selection: selection(arguments, run, &config::Suite::default()),
            suites: suite_selections(arguments, config),
            max_failures: failfast.or(arguments.limits.max_failures).or(run.max_failures),
            test_timeout: arguments.limits.test_timeout.or(run.test_timeout),
            class_timeout: arguments.limits.class_timeout.or(run.class_timeout),
            app_timeout: arguments.limits.app_timeout.or(run.app_timeout),
            timeout: arguments.limits.timeout.or(run.timeout),
            slots: arguments.pods.slots.or(run.slots),
            limits,
            // Migrations count as well, and are measured where they run.
            fresh_databases: coverage.is_some()
                || arguments.pods.fresh_databases.unwrap_or(run.fresh_db),
            db_prefix: arguments.pods.db_prefix.clone().or_else(|| run.db_prefix.clone()),
            isolation: arguments.pods.isolation.or(run.isolation).unwrap_or_default(),
            retries: arguments.order.retries.or(run.retries).unwrap_or_default(),
            retry_rules: run.retry.iter().filter_map(retry_rule).collect(),
            flaky: arguments.order.flaky.or(run.flaky).unwrap_or_default(),
            shuffle: shuffle.map(|seed| seed.unwrap_or_else(new_seed)),
            serial: run.serial.clone(),
            hooks: hooks(&config.hooks),
            artifacts: or(&arguments.reports.artifacts, &run.artifacts),
            artifact_limit: run.artifact_limit,
            coverage,
            ..Options::default()
        },
        run_setup: config.hooks.run_setup.clone(),
        run_teardown: config.hooks.run_teardown.clone(),
        show_output: arguments.reports.show_output.or(run.show_output).unwrap_or_default(),
        reshuffles: shuffle == Some(None),
        rerun: arguments.order.rerun.clone(),
        reproduce: arguments.order.reproduce.clone(),
        isolate: arguments.order.isolate.clone(),
        until_failure: arguments.order.until_failure,
        runtime: arguments.pods.runtime.or(run.runtime).unwrap_or_default(),
        docker_host: arguments.pods.docker_host.clone().or_else(|| run.docker_host.clone()),
        documents: arguments.documents.clone(),
        results: arguments
            .reports
            .results
            .clone()
            .unwrap_or_else(|| state_folder(&arguments.path).join("runs")),
        retention: Rules::from(&config.results),
    })
}

fn hooks(hooks: &config::Hooks) -> Hooks {
    Hooks {
        pod_setup: hooks.pod_setup.clone(),
        pod_teardown: hooks.pod_teardown.clone(),
        app_setup: hooks.app_setup.clone(),
        app_teardown: hooks.app_teardown.clone(),
        timeout: hooks.timeout,
        ran: vec![],
        run_teardown: u32::try_from(hooks.run_teardown.len()).unwrap_or(u32::MAX),
    }
}

fn coverage(arguments: &RunArguments, configured: &config::Coverage) -> Option<Coverage> {
    let config::Coverage { enabled, config, xml, html } = configured.clone();
    let is_wanted = arguments.reports.coverage.unwrap_or(enabled);
    is_wanted.then_some(Coverage { config, xml, html })
}

/// What is asked for by label, and of suites that have labels of their own. Arguments go in place
/// of all that the configuration says, and so does a stored run.
fn labels(
    arguments: &RunArguments,
    config: &Config,
) -> (Vec<String>, BTreeMap<SuiteName, Vec<String>>) {
    let order = &arguments.order;
    let stored = [&order.rerun, &order.reproduce, &order.isolate];
    if !arguments.labels.is_empty() || stored.iter().any(|run| run.is_some()) {
        return (arguments.labels.clone(), BTreeMap::new());
    }
    let of_suites = config.suite.iter().filter_map(|suite| {
        // Names were checked where they were read.
        Some((SuiteName::new(suite.name.as_str()).ok()?, suite.labels.clone()?))
    });
    (config.run.labels.clone(), of_suites.collect())
}

/// What is wanted of a suite: arguments go before its own keys, those before the keys of `[run]`.
fn selection(arguments: &RunArguments, run: &config::Run, suite: &config::Suite) -> Selection {
    let or = |given: &[String], of_suite: &Option<Vec<String>>, of_run: &[String]| match given {
        [] => of_suite.as_deref().unwrap_or(of_run).to_owned(),
        given => given.to_owned(),
    };
    let given = &arguments.selection;
    Selection {
        include: or(&given.include, &suite.include, &run.include),
        exclude: or(&given.exclude, &suite.exclude, &run.exclude),
        tags: or(&given.tags, &suite.tags, &run.tags),
        exclude_tags: or(&given.exclude_tags, &suite.exclude_tags, &run.exclude_tags),
        patterns: or(&given.patterns, &suite.patterns, &run.patterns),
    }
}

/// Of the suites that the configuration names.
fn suite_selections(arguments: &RunArguments, config: &Config) -> BTreeMap<SuiteName, Selection> {
    let named = config.suite.iter().filter_map(|suite| {
        // Names were checked where they were read.
        let name = SuiteName::new(suite.name.as_str()).ok()?;
        Some((name, selection(arguments, &config.run, suite)))
    });
    named.collect()
}

/// Where a project keeps what muletrain leaves behind.
#[must_use]
pub fn state_folder(project: &Path) -> PathBuf {
    project.join(".muletrain")
}

/// Whether tests are shuffled, and by which seed, where one is asked for.
#[expect(clippy::option_option, reason = "shuffled or not, with a seed or without")]
fn shuffle(order: &cli::Order, run: &config::Run) -> Result<Option<Option<u64>>, Error> {
    match (order.shuffle, order.seed) {
        (Some(Some(one)), Some(other)) if one != other => Err(Error::Seeds(one, other)),
        (_, Some(seed)) => Ok(Some(Some(seed))),
        (Some(shuffle), None) => Ok(Some(shuffle)),
        (None, None) => Ok(match run.shuffle {
            None | Some(config::Shuffle::Wanted(false)) => None,
            Some(config::Shuffle::Wanted(true)) => Some(None),
            Some(config::Shuffle::Seed(seed)) => Some(Some(seed)),
        }),
    }
}

/// Any seed, short enough to be typed.
pub(crate) fn new_seed() -> u64 {
    fastrand::u64(..10_000_000_000)
}

/// The configuration was checked where it was read: a rule is about one thing.
fn retry_rule(retry: &config::Retry) -> Option<RetryRule> {
    let class = retry.class.clone().map(RetriedTests::Match);
    let tests = class.or_else(|| retry.tag.clone().map(RetriedTests::Tag))?;
    Some(RetryRule { tests, retries: retry.retries })
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
    use clap::Parser;
    use muletrain_proto::seconds::Seconds;

    use super::*;

    fn config() -> Config {
        let text = "[run]\nslots = 3\ntags = ['fast']\nmax_failures = 9\ntest_timeout = '5s'\n";
        config::parse(text, "muletrain.toml").unwrap()
    }

    #[test]
    fn the_file_fills_in_what_no_argument_says() {
        let settings = merge(&RunArguments::default(), &config()).unwrap();
        assert_eq!(settings.options.selection.tags, ["fast"]);
        assert_eq!(settings.options.max_failures, Some(9));
        assert_eq!(settings.options.test_timeout, Some(Seconds::new(5.0).unwrap()));
        assert_eq!((settings.options.slots, settings.runtime), (Some(3), Runtime::Auto));
    }

    #[test]
    fn an_argument_goes_before_the_file() {
        let tags = vec!["slow".into()];
        let arguments = RunArguments {
            selection: cli::Selection { tags, ..Default::default() },
            limits: cli::Limits { failfast: true, cpus: Some(1.5), ..Default::default() },
            ..Default::default()
        };
        let settings = merge(&arguments, &config()).unwrap();
        assert_eq!(settings.options.selection.tags, ["slow"]);
        assert_eq!(settings.options.max_failures, Some(1));
        assert_eq!(settings.options.limits.cpu_millis, Some(1500));
    }

    #[test]
    fn a_selection_of_a_suite_goes_before_that_of_the_run_and_an_argument_before_both() {
        let text = "[run]\ntags = ['of-run']\nexclude = ['*.Slow']\n\
                    [[suite]]\nname = 'site'\ntags = ['of-suite']\n\
                    [[suite]]\nname = 'tools'\nexclude = []\n";
        let config = config::parse(text, "muletrain.toml").unwrap();
        let wanted = |given: &[&str]| {
            let tags = given.iter().map(|tag| (*tag).to_owned()).collect();
            let arguments = RunArguments {
                selection: cli::Selection { tags, ..Default::default() },
                ..Default::default()
            };
            let options = merge(&arguments, &config).unwrap().options;
            ["site", "tools", "other"].map(|suite| {
                let selection = options.selection_of(&SuiteName::new(suite).unwrap());
                (selection.tags.join(" "), selection.exclude.join(" "))
            })
        };
        let pairs = |pairs: [(&str, &str); 3]| pairs.map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(
            wanted(&[]),
            pairs([("of-suite", "*.Slow"), ("of-run", ""), ("of-run", "*.Slow")])
        );
        assert_eq!(
            wanted(&["given"]),
            pairs([("given", "*.Slow"), ("given", ""), ("given", "*.Slow")])
        );
    }

    #[test]
    fn labels_of_the_file_are_for_when_neither_arguments_nor_a_stored_run_say_what_to_run() {
        let text = "[run]\nlabels = ['shop']\n[[suite]]\nname = 'site'\nlabels = ['blog']\n\
                    [[suite]]\nname = 'api'\n[[suite]]\nname = 'tools'\nlabels = []\n";
        let config = config::parse(text, "muletrain.toml").unwrap();
        let asked = |given: &[&str]| {
            let arguments = [&["muletrain-scheduler", "run", "."], given].concat();
            let cli::Command::Run(arguments) = cli::Cli::parse_from(arguments).command else {
                panic!("it is not `run`");
            };
            let options = merge(&arguments, &config).unwrap().options;
            ["site", "api", "tools"]
                .map(|suite| options.labels_of(&SuiteName::new(suite).unwrap()).join(" "))
        };
        assert_eq!(asked(&[]), ["blog", "shop", ""]);
        assert_eq!(asked(&["cart"]), ["cart", "cart", "cart"]);
        for stored in [["--rerun", "last"], ["--reproduce", "a.B.c"], ["--isolate", "a.B.c"]] {
            assert_eq!(asked(&stored), ["", "", ""], "{stored:?}");
        }
    }

    #[test]
    fn fresh_databases_may_be_the_projects_wish_and_not_the_users() {
        let config = config::parse("[run]\nfresh_db = true\n", "muletrain.toml").unwrap();
        for (given, wanted) in [(None, true), (Some(false), false), (Some(true), true)] {
            let arguments = RunArguments {
                pods: cli::Pods { fresh_databases: given, ..Default::default() },
                ..Default::default()
            };
            let settings = merge(&arguments, &config).unwrap();
            assert_eq!(settings.options.fresh_databases, wanted, "{given:?}");
        }
        let settings = merge(&RunArguments::default(), &Config::default()).unwrap();
        assert!(!settings.options.fresh_databases);
    }

    #[test]
    fn impossible_numbers_of_processors_are_refused() {
        for cpus in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let arguments = RunArguments {
                limits: cli::Limits { cpus: Some(cpus), ..Default::default() },
                ..Default::default()
            };
            assert!(merge(&arguments, &Config::default()).is_err(), "{cpus}");
        }
    }

    #[test]
    fn a_label_in_the_place_of_the_folder_is_explained() {
        let arguments = RunArguments { path: "blog.tests".into(), ..Default::default() };
        let error = Settings::find(&arguments).unwrap_err().to_string();
        assert!(error.contains("`muletrain-scheduler run . blog.tests`"), "{error}");
    }

    fn shuffled(arguments: &[&str], file: &str) -> (Option<u64>, bool) {
        let arguments = [&["muletrain-scheduler", "run", "."], arguments].concat();
        let cli::Command::Run(arguments) = cli::Cli::parse_from(arguments).command else {
            panic!("it is not `run`");
        };
        let config = config::parse(file, "muletrain.toml").unwrap();
        let settings = merge(&arguments, &config).unwrap();
        (settings.options.shuffle, settings.reshuffles)
    }

    #[test]
    fn tests_are_shuffled_by_a_seed_that_is_given_or_made_up() {
        assert_eq!(shuffled(&[], ""), (None, false));
        assert_eq!(shuffled(&["--shuffle=7"], ""), (Some(7), false));
        assert_eq!(shuffled(&["--seed", "7"], ""), (Some(7), false));
        assert_eq!(shuffled(&["--shuffle", "--seed", "7"], ""), (Some(7), false));
        assert_eq!(shuffled(&[], "[run]\nshuffle = 7"), (Some(7), false));
        assert_eq!(shuffled(&["--seed", "8"], "[run]\nshuffle = 7"), (Some(8), false));
        assert_eq!(shuffled(&[], "[run]\nshuffle = false"), (None, false));
        for (arguments, file) in [(&["--shuffle"][..], ""), (&[], "[run]\nshuffle = true")] {
            let (seed, reshuffles) = shuffled(arguments, file);
            assert!(seed.is_some() && reshuffles, "{arguments:?} {file:?}");
        }
    }

    #[test]
    fn rules_of_retries_come_from_the_file() {
        let text = "[run]\nretries = 1\n[[run.retry]]\ntag = 'net'\nretries = 3\n";
        let config = config::parse(text, "muletrain.toml").unwrap();
        let options = merge(&RunArguments::default(), &config).unwrap().options;
        let rule = RetryRule { tests: RetriedTests::Tag("net".into()), retries: 3 };
        assert_eq!((options.retries, options.retry_rules), (1, vec![rule]));
    }
}
