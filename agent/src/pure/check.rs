//! What a host has and lacks for running pods, and how that is said.

/// Least free space for work to start.
pub const LEAST_SPACE: u64 = 2 << 30;

/// Least memory for one pod of the default size.
pub const LEAST_MEMORY: u64 = 2 << 30;

/// Oldest interface of an engine that has all that is used.
pub const OLDEST_INTERFACE: (u32, u32) = (1, 41);

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is there.
    Good(String),
    /// It works, but less well.
    Weak {
        /// What was found.
        what: String,
        /// What would be better.
        fix: String,
    },
    /// It is missing.
    Missing {
        /// What was found.
        what: String,
        /// What to do.
        fix: String,
    },
}

impl Finding {
    /// Whether pods cannot run because of it.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }
}

/// An engine, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Engine {
    /// Its address.
    pub endpoint: String,
    /// Its version.
    pub version: String,
    /// Version of its interface.
    pub interface: String,
    /// What it runs.
    pub platform: String,
    /// What it says is missing.
    pub warnings: Vec<String>,
    /// Security options in force.
    pub security: Vec<String>,
}

/// What an engine that answers has and lacks.
#[must_use]
pub fn engine(engine: &Engine) -> Vec<Finding> {
    let Engine { endpoint, version, interface, platform, .. } = engine;
    let name = format!("Docker Engine {version} ({platform}) at {endpoint}");
    let mut findings = vec![match is_old(interface) {
        false => Finding::Good(name),
        true => Finding::Missing {
            what: format!("{name} has interface {interface}"),
            fix: "install Docker Engine 20.10 or newer".to_owned(),
        },
    }];
    for (wanted, what) in [("memory limit", "memory"), ("process limit", "process")] {
        let lacks = engine.warnings.iter().any(|warning| {
            let warning = warning.to_lowercase();
            warning.contains(&format!("no {wanted}"))
        });
        if lacks {
            findings.push(Finding::Weak {
                what: format!("the engine cannot limit what a pod uses ({what})"),
                fix: "enable that cgroup controller in the kernel".to_owned(),
            });
        }
    }
    if !engine.security.iter().any(|option| option.contains("seccomp")) {
        findings.push(Finding::Weak {
            what: "the engine filters no system calls (seccomp)".to_owned(),
            fix: "use a kernel and an engine with seccomp".to_owned(),
        });
    }
    findings
}

fn is_old(interface: &str) -> bool {
    let mut parts = interface.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < OLDEST_INTERFACE,
        _ => true,
    }
}

/// Free space on the disk that holds a folder.
#[must_use]
pub fn space(folder: &str, free: u64) -> Finding {
    let what = format!("{} free for {folder}", gibibytes(free));
    match free >= LEAST_SPACE {
        true => Finding::Good(what),
        false => Finding::Missing {
            what,
            fix: format!("free at least {} there", gibibytes(LEAST_SPACE)),
        },
    }
}

/// Memory of the host.
#[must_use]
pub fn memory(bytes: u64) -> Finding {
    let what = format!("{} of memory", gibibytes(bytes));
    match bytes >= LEAST_MEMORY {
        true => Finding::Good(what),
        false => Finding::Weak {
            what,
            fix: "lower [run] memory, because a pod may use 2 GiB unless told otherwise".to_owned(),
        },
    }
}

fn gibibytes(bytes: u64) -> String {
    let tenths = bytes / ((1 << 30) / 10);
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}

/// The findings as people read them.
#[must_use]
pub fn render(findings: &[Finding]) -> String {
    let line = |finding: &Finding| match finding {
        Finding::Good(what) => format!("ok       {what}\n"),
        Finding::Weak { what, fix } => format!("weak     {what}\n         fix: {fix}\n"),
        Finding::Missing { what, fix } => format!("missing  {what}\n         fix: {fix}\n"),
    };
    findings.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn docker() -> Engine {
        Engine {
            endpoint: "unix:///var/run/docker.sock".to_owned(),
            version: "20.10.24".to_owned(),
            interface: "1.41".to_owned(),
            platform: "linux/amd64".to_owned(),
            warnings: vec![],
            security: vec!["name=seccomp,profile=default".to_owned()],
        }
    }

    #[test]
    fn a_good_host_is_told_so() {
        let mut findings = engine(&docker());
        findings.extend([space("/var/lib/docker", 53 << 30), memory(24 << 30)]);
        assert!(!findings.iter().any(Finding::is_missing));
        insta::assert_snapshot!(render(&findings), @r"
        ok       Docker Engine 20.10.24 (linux/amd64) at unix:///var/run/docker.sock
        ok       53.0 GiB free for /var/lib/docker
        ok       24.0 GiB of memory
        ");
    }

    #[test]
    fn what_is_missing_has_a_fix() {
        let old = Engine {
            version: "19.03.1".to_owned(),
            interface: "1.40".to_owned(),
            warnings: vec!["WARNING: No memory limit support".to_owned()],
            security: vec![],
            ..docker()
        };
        let mut findings = engine(&old);
        findings.extend([space("/var/lib/docker", 1 << 30), memory(1 << 30)]);
        insta::assert_snapshot!(render(&findings), @r"
        missing  Docker Engine 19.03.1 (linux/amd64) at unix:///var/run/docker.sock has interface 1.40
                 fix: install Docker Engine 20.10 or newer
        weak     the engine cannot limit what a pod uses (memory)
                 fix: enable that cgroup controller in the kernel
        weak     the engine filters no system calls (seccomp)
                 fix: use a kernel and an engine with seccomp
        missing  1.0 GiB free for /var/lib/docker
                 fix: free at least 2.0 GiB there
        weak     1.0 GiB of memory
                 fix: lower [run] memory, because a pod may use 2 GiB unless told otherwise
        ");
    }
}
