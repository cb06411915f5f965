//! The commands that end a run wait for its end beside it, and are run whatever becomes of it.

use std::time::{Duration, Instant};

use muletrain_proto::client::Address;
use muletrain_proto::exit_code::ExitCode;
use muletrain_proto::hook::Hook;
use muletrain_proto::id::RunId;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::hooks::Hooks;
use super::remote::{tell_of_teardown, wait_for_teardown};
use crate::interrupt::Interrupts;

/// How long the last commands of a run may take once its report is out, and how long a run that
/// is not reported may take to end.
const GRACE: Duration = Duration::from_secs(3);

/// Pause between two tries to reach the scheduler.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a scheduler that cannot be reached is tried again.
const PATIENCE: Duration = Duration::from_secs(60);

const BROKEN_OFF: &str = "the commands of `run_teardown` were not run, or broken off";

/// The commands that end a run, as they wait for it.
pub(super) struct Ending {
    task: JoinHandle<bool>,
    hurry: oneshot::Sender<()>,
    grace: Duration,
}

impl Ending {
    /// Begins to wait for the end of a run.
    pub(super) fn of(hooks: Hooks, address: Address, run: RunId) -> Self {
        let (hurry, hurried) = oneshot::channel();
        Self { task: tokio::spawn(end(hooks, address, run, hurried)), hurry, grace: GRACE }
    }

    /// How a run that was reported ended, once its last commands have been run and told. Who
    /// interrupts twice does not wait for them.
    pub(super) async fn conclude(
        mut self,
        code: ExitCode,
        interrupts: &mut Interrupts,
    ) -> ExitCode {
        let is_well = match tokio::time::timeout(self.grace, &mut self.task).await {
            Ok(ended) => ended.unwrap_or(false),
            Err(_) if code == ExitCode::Interrupted => self.break_off(),
            Err(_) => self.hurry(interrupts).await,
        };
        if is_well { code } else { code.and(ExitCode::Red) }
    }

    /// Sees to it that the commands are run though nobody reports the run, which was told to end.
    pub(super) async fn run_anyway(mut self, interrupts: &mut Interrupts) {
        if tokio::time::timeout(self.grace, &mut self.task).await.is_err() {
            self.hurry(interrupts).await;
        }
    }

    /// Lets the commands run now, unless they have begun. Whether all went well.
    async fn hurry(mut self, interrupts: &mut Interrupts) -> bool {
        // Nobody listens where it has just ended by itself.
        let _ = self.hurry.send(());
        tokio::select! {
            ended = &mut self.task => ended.unwrap_or(false),
            () = interrupts.next() => {
                self.task.abort();
                tracing::warn!("{BROKEN_OFF}");
                false
            }
        }
    }

    fn break_off(self) -> bool {
        self.task.abort();
        tracing::warn!("{BROKEN_OFF}");
        false
    }
}

/// Waits until all pods of a run are gone, runs what comes then, and tells the scheduler, which
/// closes the run. Whether nothing failed that the report will not tell of.
async fn end(
    hooks: Hooks,
    address: Address,
    run: RunId,
    mut hurried: oneshot::Receiver<()>,
) -> bool {
    if hooks.end_nothing() {
        return true;
    }
    let is_over = tokio::select! {
        is_over = wait(&address, &run) => is_over,
        _ = &mut hurried => false,
    };
    if !is_over {
        return hooks.tear_down_untold(Some(&run)).await;
    }
    let ran = hooks.tear_down(Some(&run)).await;
    let is_told = tokio::select! {
        is_told = tell(&address, &run, &ran) => is_told,
        _ = hurried => false,
    };
    is_told || !ran.iter().any(Hook::is_failed)
}

/// Waits until all pods of a run are gone; false where nobody says so.
async fn wait(address: &Address, run: &RunId) -> bool {
    let since = Instant::now();
    while let Err(reason) = wait_for_teardown(address, run).await {
        if since.elapsed() > PATIENCE {
            tracing::warn!("{reason}; the end of the run is not waited for any longer");
            return false;
        }
        tokio::time::sleep(PAUSE).await;
    }
    true
}

/// Tells the scheduler what was run; false where it does not listen.
async fn tell(address: &Address, run: &RunId, ran: &[Hook]) -> bool {
    let since = Instant::now();
    while let Err(reason) = tell_of_teardown(address, run, ran).await {
        if since.elapsed() > PATIENCE {
            tracing::error!("{reason}; the report does not know of the run's teardown");
            return false;
        }
        tokio::time::sleep(PAUSE).await;
    }
    true
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Hooks of a run that nobody knows, and what they leave behind.
    fn ending(folder: &Path, command: &str) -> Ending {
        let hooks = Hooks::ending_with(command, folder);
        let address = Address::Unix(folder.join("no.sock"));
        let ending = Ending::of(hooks, address, RunId::new("r1").unwrap());
        Ending { grace: Duration::ZERO, ..ending }
    }

    #[tokio::test]
    async fn what_nobody_reports_is_torn_down_once_and_with_the_name_of_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let mut interrupts = Interrupts::listen().unwrap();
        let ending = ending(folder.path(), "echo $BUILD_ID >> torn-down");
        ending.run_anyway(&mut interrupts).await;
        let left = std::fs::read_to_string(folder.path().join("torn-down")).unwrap();
        assert_eq!(left, "r1\n");
    }

    #[tokio::test]
    async fn a_report_without_a_teardown_that_went_well_is_not_green() {
        let folder = tempfile::tempdir().unwrap();
        let mut interrupts = Interrupts::listen().unwrap();
        for (command, wanted) in [("true", ExitCode::Green), ("false", ExitCode::Red)] {
            let ending = ending(folder.path(), command);
            assert_eq!(ending.conclude(ExitCode::Green, &mut interrupts).await, wanted);
        }
    }

    #[tokio::test]
    async fn who_interrupts_twice_does_not_wait() {
        let folder = tempfile::tempdir().unwrap();
        let mut interrupts = Interrupts::listen().unwrap();
        let ending = ending(folder.path(), "touch torn-down");
        let code = ending.conclude(ExitCode::Interrupted, &mut interrupts).await;
        assert_eq!(code, ExitCode::Interrupted);
        assert!(!folder.path().join("torn-down").exists());
    }
}
