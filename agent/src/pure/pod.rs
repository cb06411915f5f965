//! What a lease's pod is made of: containers or a host process, as data.
//!
//! The hardening stands here and not in the configuration: a [`Container`] has no field for
//! privileged mode, host namespaces, devices or mounts of the host, so nothing a branch says can
//! ask for them.

use std::collections::BTreeMap;
use std::time::Duration;

use muletrain_proto::id::{AgentId, BootId, LeaseKey};
use muletrain_proto::lease::{Lease, Work};
use muletrain_proto::link::{RunBrief, Runtime};
use muletrain_proto::run::{Isolation, Limits};
use muletrain_proto::snapshot::{self, Base, Content, Ready, Service, Snapshot};
use muletrain_proto::suite::{Adapter, Suite};
use sha2::{Digest, Sha256};

use crate::pure::around::Around;
use crate::pure::conversation::QUIET_LIMIT;
use crate::pure::harness::{App, COVERAGE, Hello, PROTOCOL};

/// What official service images need to prepare their folders and step down from root.
pub const SERVICE_CAPABILITIES: [&str; 5] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"];

/// Ends once something accepts connections at a port of `localhost`.
const PROBE: &str = "
import socket, sys, time
while True:
    try:
        socket.create_connection(('localhost', int(sys.argv[1])), 1).close()
        break
    except OSError:
        time.sleep(0.02)
";

/// Marks the processes of a pod, in their environment: those of a host process may leave its
/// group, and a mark is inherited.
pub const MARK: &str = "MULETRAIN_POD";

/// Time limit of a command's job where the user sets none: it may stand for thousands of tests.
const JOB_LIMIT: Duration = Duration::from_secs(60 * 60);

/// The least memory a container is given, in bytes.
const LEAST_MEMORY: u64 = 32 << 20;

/// The least processes and threads a container is given.
const LEAST_PROCESSES: u32 = 16;

/// Who a pod belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The agent.
    pub agent: AgentId,
    /// This life of it.
    pub boot: BootId,
}

impl Owner {
    /// The value of [`MARK`] in every process of a lease.
    #[must_use]
    pub fn mark(&self, lease: &LeaseKey) -> String {
        format!("{}{}/{}/{}", self.mark_prefix(), lease.run, lease.lease, lease.epoch.0)
    }

    /// What tells the databases of a lease's pod from those of all others, on whatever server.
    #[must_use]
    pub fn database_token(&self, lease: &LeaseKey) -> String {
        let digest = Sha256::digest(self.mark(lease));
        digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// What the marks of all leases of this boot begin with.
    #[must_use]
    pub fn mark_prefix(&self) -> String {
        format!("{}/{}/", self.agent, self.boot)
    }
}

/// A container of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name on the engine.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// Image id, or reference of a service's image.
    pub image: String,
    /// Replaces the image's entrypoint; empty keeps it.
    pub entrypoint: Vec<String>,
    /// Replaces the image's command; empty keeps it.
    pub command: Vec<String>,
    /// Added to the image's environment.
    pub environment: BTreeMap<String, String>,
    /// `uid:gid`; none: the image's user.
    pub user: Option<String>,
    /// Folder it starts in.
    pub folder: Option<String>,
    /// Names of `localhost`, where this container is the one that owns the network; the others
    /// join it.
    pub network: Network,
    /// Capabilities it keeps.
    pub capabilities: Vec<&'static str>,
    /// What it may use.
    pub memory: u64,
    /// Processes and threads.
    pub processes: u32,
    /// Processors in thousandths.
    pub cpu_millis: Option<u32>,
    /// Folders in memory, and the bytes each may hold.
    pub temporary: BTreeMap<String, u64>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// What a container is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The harness and the tests.
    Tests {
        /// `os/architecture` its image has to have.
        platform: String,
        /// What of its image a registry has.
        base: Option<Base>,
    },
    /// A service.
    Service {
        /// Its name.
        name: String,
        /// Id of the image that its reference meant where the snapshot was built.
        image: Option<String>,
        /// How it shows that it can be used.
        ready: Ready,
        /// How long that may take.
        limit: Duration,
    },
    /// Ends once the service before it accepts connections.
    Probe,
}

/// How a container gets its network: loopback, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// It owns the pod's network, in which these names mean `127.0.0.1`.
    Own(Vec<String>),
    /// It joins the network of the pod's first container.
    Joined,
}

/// A pod as a host process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The Python to start.
    pub python: String,
    /// The tree to copy.
    pub root: String,
    /// Its environment, apart from what depends on where the copy is.
    pub environment: BTreeMap<String, String>,
}

/// Why an agent cannot make a pod of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The snapshot is for the other runtime.
    #[error(
        "the snapshot is made for the {snapshot} runtime and this agent runs {agent}; \
         build it for {agent}, or start an agent with --runtime {snapshot}"
    )]
    Runtime {
        /// What the snapshot is for.
        snapshot: Runtime,
        /// What the agent runs.
        agent: Runtime,
    },
    /// Host processes have no services.
    #[error(
        "service {name} needs a container, and the process runtime has none; \
         use --runtime docker, or point [env] to a server of your own"
    )]
    Service {
        /// Its name.
        name: String,
    },
}

/// The containers of a lease, in the order they start; the last one runs the tests.
///
/// # Errors
/// When the snapshot is no image.
pub fn containers(
    lease: &LeaseKey,
    brief: &RunBrief,
    owner: &Owner,
    deadline: u64,
    bootstrap: &str,
) -> Result<Vec<Container>, Error> {
    let snapshot = &brief.snapshot;
    let Content::Docker { image, platform, root, user, base } = &snapshot.content else {
        return Err(Error::Runtime { snapshot: Runtime::Process, agent: Runtime::Docker });
    };
    let labels = labels(lease, owner, deadline);
    let limits = limits(brief);
    let tests = Container {
        name: tests_name(owner, lease),
        role: Role::Tests { platform: platform.clone(), base: base.clone() },
        image: image.clone(),
        entrypoint: vec![snapshot.python.clone(), "-c".to_owned(), bootstrap.to_owned()],
        command: vec![],
        environment: environment(snapshot, owner.mark(lease)),
        user: Some(user.clone()),
        folder: Some(root.clone()),
        network: Network::Joined,
        capabilities: vec![],
        memory: limits.memory,
        processes: limits.processes,
        cpu_millis: limits.cpu_millis,
        temporary: [("/tmp".to_owned(), limits.memory / 2)].into(),
        labels,
    };
    let mut containers = Vec::new();
    for (number, item) in (1..).zip(&snapshot.services) {
        let service = service(service_name(owner, lease, number), item, limits, &tests.labels);
        let probe = probe(&service, &tests);
        containers.extend([service].into_iter().chain(probe));
    }
    containers.push(tests);
    let names = snapshot.services.iter().flat_map(|service| {
        std::iter::once(service.name.clone()).chain(service.aliases.iter().cloned())
    });
    let network = Network::Own(names.collect());
    if let Some(first) = containers.first_mut() {
        first.network = network;
    }
    Ok(containers)
}

fn service(
    name: String,
    service: &Service,
    limits: Limits,
    labels: &BTreeMap<String, String>,
) -> Container {
    let folders = service.tmpfs.iter().map(|folder| (folder.clone(), limits.memory / 2));
    Container {
        name,
        role: Role::Service {
            name: service.name.clone(),
            image: service.image_id.clone(),
            ready: service.ready.clone(),
            limit: service.ready_limit.duration(),
        },
        image: service.image.clone(),
        entrypoint: vec![],
        command: service.command.clone(),
        environment: service.environment.clone(),
        user: service.user.clone(),
        folder: None,
        network: Network::Joined,
        capabilities: match service.user {
            Some(_) => vec![],
            None => SERVICE_CAPABILITIES.to_vec(),
        },
        memory: limits.memory,
        processes: limits.processes,
        cpu_millis: limits.cpu_millis,
        temporary: folders.collect(),
        labels: labels.clone(),
    }
}

/// What finds out whether a service's port accepts connections. Nothing of a pod's network can
/// be reached from outside, and a service's image need not hold any tool; that of the tests has
/// Python.
fn probe(service: &Container, tests: &Container) -> Option<Container> {
    let Role::Service { ready: Ready::Port(port), .. } = service.role else { return None };
    let (python, flag) = (tests.entrypoint.first()?.clone(), "-c".to_owned());
    Some(Container {
        name: format!("{}-probe", service.name),
        role: Role::Probe,
        entrypoint: vec![python, flag, PROBE.to_owned(), port.to_string()],
        ..tests.clone()
    })
}

/// The limits of a container. What an engine would take for "no limit" is raised to the least
/// that can run.
#[must_use]
pub fn limits(brief: &RunBrief) -> Limits {
    let limits = brief.options.limits;
    Limits {
        memory: limits.memory.max(LEAST_MEMORY),
        processes: limits.processes.max(LEAST_PROCESSES),
        ..limits
    }
}

/// Name of the container that runs the tests of a lease.
#[must_use]
pub fn tests_name(owner: &Owner, lease: &LeaseKey) -> String {
    format!("{}-tests", container_name(owner, lease))
}

/// A service whose file system holds what it stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storing {
    /// The service.
    pub service: String,
    /// Its container.
    pub container: String,
    /// Where it stores.
    pub data: String,
}

/// The services of a lease's pod whose file systems hold what they store.
#[must_use]
pub fn storing(lease: &LeaseKey, brief: &RunBrief, owner: &Owner) -> Vec<Storing> {
    let services = (1..).zip(&brief.snapshot.services);
    let storing = services.filter_map(|(number, service)| {
        Some(Storing {
            service: service.name.clone(),
            container: service_name(owner, lease, number),
            data: service.data.clone()?,
        })
    });
    storing.collect()
}

/// The run as the pod of a lease has it: with the services that its tests need.
#[must_use]
pub fn of_lease(lease: &Lease, brief: &RunBrief) -> RunBrief {
    let mut brief = brief.clone();
    brief.snapshot.services.retain(|service| !lease.without.contains(&service.name));
    brief
}

/// The run with the services that all its pods have: what databases are set up with.
#[must_use]
pub fn of_all(brief: &RunBrief) -> RunBrief {
    let mut brief = brief.clone();
    brief.snapshot.services.retain(|service| service.only.is_empty());
    brief
}

/// The run with these images for services, by their names, in place of the services' own.
#[must_use]
pub fn with_images(brief: &RunBrief, images: &BTreeMap<String, String>) -> RunBrief {
    let mut brief = brief.clone();
    for service in &mut brief.snapshot.services {
        if let Some(image) = images.get(&service.name) {
            service.image.clone_from(image);
            service.image_id = None;
        }
    }
    brief
}

fn service_name(owner: &Owner, lease: &LeaseKey, number: usize) -> String {
    format!("{}-service{number}", container_name(owner, lease))
}

/// Ids may hold a colon, which such a name may not.
fn container_name(owner: &Owner, lease: &LeaseKey) -> String {
    let LeaseKey { run, lease, epoch } = lease;
    format!("muletrain-{}-{run}-{lease}-{}", owner.boot, epoch.0).replace(':', "-")
}

/// The environment of the tests' container. Its `/tmp` is the one folder sure to be writable,
/// and a uid without an entry in `/etc/passwd` has a name only here.
fn environment(snapshot: &Snapshot, mark: String) -> BTreeMap<String, String> {
    let defaults = [("HOME", "/tmp"), ("USER", "muletrain"), ("LOGNAME", "muletrain")];
    let mut environment: BTreeMap<String, String> =
        defaults.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    environment.extend(snapshot.services.iter().flat_map(|service| service.provides.clone()));
    environment.extend(snapshot.environment.set.clone());
    environment.insert(MARK.to_owned(), mark);
    environment
}

/// Labels of everything that belongs to a lease.
fn labels(lease: &LeaseKey, owner: &Owner, deadline: u64) -> BTreeMap<String, String> {
    [
        (label::RUN, lease.run.to_string()),
        (label::LEASE, lease.lease.to_string()),
        (label::ATTEMPT, lease.epoch.0.to_string()),
        (label::AGENT, owner.agent.to_string()),
        (label::BOOT, owner.boot.to_string()),
        (label::DEADLINE, deadline.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Names of labels.
pub mod label {
    /// The run.
    pub const RUN: &str = "muletrain.run";
    /// The lease in it.
    pub const LEASE: &str = "muletrain.lease";
    /// Its epoch.
    pub const ATTEMPT: &str = "muletrain.attempt";
    /// The agent.
    pub const AGENT: &str = "muletrain.agent";
    /// This life of the agent.
    pub const BOOT: &str = "muletrain.boot";
    /// Seconds since 1970 after which nobody can want it any more.
    pub const DEADLINE: &str = "muletrain.deadline";
    /// On images with databases: the folder whose entries they belong to.
    pub const STORE: &str = "muletrain.warm";
    /// The entry.
    pub const ENTRY: &str = "muletrain.warm.entry";
}

/// The host process of a lease.
///
/// # Errors
/// When the snapshot is an image, or needs services.
pub fn process(lease: &LeaseKey, brief: &RunBrief, owner: &Owner) -> Result<Process, Error> {
    let snapshot = &brief.snapshot;
    let Content::Process { root } = &snapshot.content else {
        return Err(Error::Runtime { snapshot: Runtime::Docker, agent: Runtime::Process });
    };
    if let Some(service) = snapshot.services.first() {
        return Err(Error::Service { name: service.name.clone() });
    }
    let mut environment = snapshot.environment.set.clone();
    environment.insert(MARK.to_owned(), owner.mark(lease));
    Ok(Process { python: snapshot.python.clone(), root: root.clone(), environment })
}

/// What the harness is told first. `root` is where the tests find the project.
#[must_use]
pub fn hello(lease: &Lease, brief: &RunBrief, root: String) -> Hello {
    let snapshot = &brief.snapshot;
    let app = |app: &snapshot::App| App { label: app.label.clone(), path: app.path.clone() };
    let apps = snapshot.apps.iter().filter(|app| app.suite == lease.suite).map(app).collect();
    let secrets = brief.secrets.0.clone();
    let suite = snapshot.suite(&lease.suite).cloned().unwrap_or_else(|| {
        // Only a scheduler that invents suites leads here; its tests are then not found.
        Suite::new(lease.suite.clone(), Adapter::Django { manage: None, settings: None })
    });
    let around = Around::of(lease, brief);
    let (isolation, limit) = match suite.adapter {
        // What is done once for a pod, at its end, belongs to the one lease that can tell of it.
        Adapter::Django { .. } if around.ends_with_its_pod() => (Isolation::App, QUIET_LIMIT),
        Adapter::Django { .. } => (brief.options.isolation, QUIET_LIMIT),
        // Only Django's own runner can be loaded once and forked for each app.
        Adapter::Pytest { .. } | Adapter::Unittest { .. } => (Isolation::App, QUIET_LIMIT),
        Adapter::Command { .. } => (Isolation::App, JOB_LIMIT),
    };
    Hello {
        protocol: PROTOCOL,
        root,
        run: brief.run.clone(),
        adapter: match lease.work {
            Work::Combine { .. } => COVERAGE,
            Work::Collect { .. } | Work::Run { .. } => suite.adapter.kind(),
        },
        apps,
        test_timeout: Some(brief.options.test_timeout.unwrap_or(limit.into())),
        class_timeout: brief.options.class_timeout,
        app_timeout: brief.options.app_timeout,
        run_timeout: brief.options.timeout,
        db_prefix: brief.options.db_prefix.clone(),
        db_token: None,
        isolation,
        // A child that collects runs none, and its pod is kept for those that run them.
        checks: lease.checks || isolation == Isolation::Fork,
        output_limit: brief.options.limits.output,
        environment: suite.environment.clone().into_iter().chain(secrets).collect(),
        suite: Suite { environment: BTreeMap::new(), ..suite },
        trace: false,
        around,
        services: snapshot.services.iter().map(|service| service.name.clone()).collect(),
        // An inventory has the order of a serial run, whatever order its tests run in.
        shuffle: brief.options.shuffle.filter(|_| lease.work.app().is_some()),
    }
}

#[cfg(test)]
#[path = "pod_tests.rs"]
mod tests;
