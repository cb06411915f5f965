//! A scheduler with agents on Docker Engines, and those who hand in runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use crate::flow::Flow;
use crate::private_engine::PrivateEngine;
use crate::program::Running;

/// How long what was told to end may take.
const LIMIT: Duration = Duration::from_secs(10);

/// A scheduler with agents on some engines.
pub struct Fleet {
    /// The agents, in the order of their engines.
    pub agents: Vec<Running>,
    /// The scheduler.
    pub scheduler: Running,
    /// The project, and where everything is. Last, because the others leave what they say there.
    pub flow: Flow,
    runtime: &'static str,
}

impl Fleet {
    /// Starts it with an agent for each engine; none means that of this host.
    #[must_use]
    #[track_caller]
    pub fn start(flow: Flow, engines: &[Option<&PrivateEngine>]) -> Self {
        Self::start_with(flow, engines, &[])
    }

    /// Starts it with variables for its agents.
    #[must_use]
    #[track_caller]
    pub fn start_with(
        flow: Flow,
        engines: &[Option<&PrivateEngine>],
        variables: &[(&str, &Path)],
    ) -> Self {
        Self::begin(flow, ("docker", "2"), engines, variables)
    }

    /// Starts it with agents of which each has one pod at a time, so that all have some.
    #[must_use]
    #[track_caller]
    pub fn of_single_pods(flow: Flow, engines: &[Option<&PrivateEngine>]) -> Self {
        Self::begin(flow, ("docker", "1"), engines, &[])
    }

    /// Starts it with so many agents, each of which has one pod at a time, as processes of this
    /// host.
    #[must_use]
    #[track_caller]
    pub fn of_processes(flow: Flow, agents: usize) -> Self {
        Self::begin(flow, ("process", "1"), &vec![None; agents], &[])
    }

    #[track_caller]
    fn begin(
        flow: Flow,
        (runtime, slots): (&'static str, &str),
        engines: &[Option<&PrivateEngine>],
        variables: &[(&str, &Path)],
    ) -> Self {
        let scheduler = serve(&flow);
        let agents = engines.iter().enumerate().map(|(number, engine)| {
            let id = id(&flow, number);
            let mut command = flow.command("muletrain-agent");
            command.args(["-v", "run", "--scheduler", &address(&flow), "--id", &id]);
            command.args(["--slots", slots, "--runtime", runtime, "--state"]).arg(flow.path(&id));
            // As on hosts of their own, each knows of nothing that others keep.
            command.env("MULETRAIN_CACHE", cache(&flow, &id));
            command.envs(variables.iter().copied());
            if let Some(engine) = engine {
                command.args(["--docker-host", &engine.address()]);
            }
            let mut agent = flow.start(&mut command);
            agent.says("attached");
            agent
        });
        let agents = agents.collect();
        Self { flow, scheduler, agents, runtime }
    }

    /// Hands in the project, built on this host's engine.
    #[must_use]
    pub fn submit(&self) -> Running {
        self.submit_with(None, &[])
    }

    /// Hands in the project, built on an engine and with variables for whoever does.
    #[must_use]
    pub fn submit_with(
        &self,
        engine: Option<&PrivateEngine>,
        variables: &[(&str, &Path)],
    ) -> Running {
        let mut command = self.flow.command("muletrain-scheduler");
        command.arg("submit").arg(&self.flow.project).args(["--runtime", self.runtime]);
        command.args(["--scheduler", &address(&self.flow)]).envs(variables.iter().copied());
        if let Some(engine) = engine {
            command.args(["--docker-host", &engine.address()]);
        }
        self.flow.start(&mut command)
    }

    /// Folders of what the agents keep from run to run.
    #[must_use]
    pub fn caches(&self) -> Vec<PathBuf> {
        (0..self.agents.len()).map(|number| cache(&self.flow, &id(&self.flow, number))).collect()
    }

    /// Bytes of images at the scheduler.
    #[must_use]
    pub fn kept(&self) -> u64 {
        bytes_below(&self.flow.path("served/blobs"))
    }

    /// How often each agent has begun to fetch an image.
    #[must_use]
    pub fn fetches(&self, image: &str) -> Vec<usize> {
        let line = format!("fetching an image image={image}");
        self.agents.iter().map(|agent| agent.stderr().matches(&line).count()).collect()
    }

    /// Ends it, and sees that nothing is left.
    ///
    /// # Panics
    /// When something is.
    #[track_caller]
    pub fn stop(self) {
        for agent in self.agents {
            agent.signal(Signal::TERM);
            agent.end_within(LIMIT).expect(0);
        }
        self.scheduler.signal(Signal::TERM);
        self.scheduler.end_within(LIMIT).expect(0);
        self.flow.is_left_clean(LIMIT);
    }
}

/// Tests run side by side, and an agent removes what another of its name has left.
fn id(flow: &Flow, agent: usize) -> String {
    let name = flow.project.file_name().unwrap_or_default().to_string_lossy();
    format!("agent-{}-{agent}", name.trim_start_matches("flow-"))
}

fn cache(flow: &Flow, id: &str) -> PathBuf {
    flow.path(&format!("cache of {id}"))
}

fn address(flow: &Flow) -> String {
    format!("unix:{}", flow.path("scheduler.sock").display())
}

/// Starts the scheduler of a flow.
#[must_use]
#[track_caller]
pub fn serve(flow: &Flow) -> Running {
    let mut command = flow.command("muletrain-scheduler");
    command.args(["-v", "serve", "--listen", &address(flow), "--state"]).arg(flow.path("served"));
    let mut scheduler = flow.start(&mut command);
    scheduler.says("listening on ");
    scheduler
}

/// Bytes of all files in a folder, at any depth.
#[must_use]
pub fn bytes_below(path: &Path) -> u64 {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.path() {
        path if path.is_dir() => bytes_below(&path),
        path => path.metadata().map_or(0, |metadata| metadata.len()),
    });
    sizes.sum()
}
