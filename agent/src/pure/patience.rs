//! How long a pod may take for what it does.

use std::time::Duration;

/// How long a pod may be silent while it loads modules or runs fixtures.
pub const QUIET_LIMIT: Duration = Duration::from_secs(10 * 60);

/// How long setting databases up may take: hundreds of migrations on a busy host.
pub const DATABASES_LIMIT: Duration = Duration::from_secs(30 * 60);

/// How long after a test's limit the harness has to end it before the agent does.
pub const TIMEOUT_GRACE: Duration = Duration::from_secs(10);

/// How long a pod that said its last word may live on.
pub const LINGER_LIMIT: Duration = Duration::from_secs(10);

/// How long a pod that has to stop may go on around its tests. The scheduler waits little longer.
pub const STOP_LIMIT: Duration = Duration::from_secs(5);

/// How long a kill may take to be confirmed.
pub const KILL_LIMIT: Duration = Duration::from_secs(30);
