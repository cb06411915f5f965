//! What `run` and `submit` take alike.

use std::path::PathBuf;

use clap::Args;

use super::{Documents, Limits, Order, Pods, Reports, Selection};

/// What to run, and how.
#[derive(Debug, Args, Default)]
pub struct RunArguments {
    /// Folder of the project
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// App labels, packages, modules, classes or methods; nothing means everything
    pub labels: Vec<String>,
    /// Print the plan and why, run nothing
    #[arg(long)]
    pub explain: bool,
    /// Which tests.
    #[command(flatten)]
    pub selection: Selection,
    /// In which order tests run, and how often.
    #[command(flatten)]
    pub order: Order,
    /// When it is enough.
    #[command(flatten)]
    pub limits: Limits,
    /// Where and in what tests run.
    #[command(flatten)]
    pub pods: Pods,
    /// What is shown of it.
    #[command(flatten)]
    pub reports: Reports,
    /// What is written about it.
    #[command(flatten)]
    pub documents: Documents,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn parse(arguments: &[&str]) -> RunArguments {
        let arguments = [&["muletrain-scheduler", "run"], arguments].concat();
        match Cli::try_parse_from(arguments).unwrap().command {
            Command::Run(run) => run,
            other => panic!("{other:?} is not `run`"),
        }
    }

    #[test]
    fn fresh_databases_are_asked_for_by_a_flag_that_takes_no_label_away() {
        assert_eq!(parse(&["."]).pods.fresh_databases, None);
        assert_eq!(parse(&["--fresh-db=no", "."]).pods.fresh_databases, Some(false));
        let given = parse(&[".", "--fresh-db", "blog"]);
        assert_eq!(
            (given.pods.fresh_databases, given.labels),
            (Some(true), vec!["blog".to_owned()])
        );
        assert!(Cli::try_parse_from(["muletrain-scheduler", "run", "--fresh-db=x"]).is_err());
    }
}
