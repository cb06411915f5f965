//! The commands of `[hooks]` that are run once for a run, on the machine where it is started.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use muletrain_proto::hook::{Hook, Scope, Stage};
use muletrain_proto::id::RunId;
use muletrain_proto::outcome::Output;
use muletrain_proto::run::Options;

use crate::interrupt::Interrupts;
use crate::settings::Settings;

/// The commands of a run, and how they are run.
#[derive(Debug, Clone)]
pub(super) struct Hooks {
    setup: Vec<String>,
    teardown: Vec<String>,
    folder: PathBuf,
    limit: Duration,
    output: u32,
}

/// What became of the commands before a run.
pub(super) enum SetUp {
    /// Those that were run; the last one may have failed.
    Ran(Vec<Hook>),
    /// They were interrupted.
    Interrupted,
}

impl Hooks {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            setup: settings.run_setup.clone(),
            teardown: settings.run_teardown.clone(),
            folder: settings.project.clone(),
            limit: settings.options.hooks.limit().duration(),
            output: settings.options.limits.output,
        }
    }

    /// Those of a run that ends with one command.
    #[cfg(test)]
    pub(super) fn ending_with(command: &str, folder: &Path) -> Self {
        Self {
            setup: vec![],
            teardown: vec![command.to_owned()],
            folder: folder.to_owned(),
            limit: Duration::from_secs(60),
            output: 1 << 10,
        }
    }

    /// Runs what comes before the run, up to the first that fails.
    pub(super) async fn set_up(&self, interrupts: &mut Interrupts) -> SetUp {
        let mut ran = Vec::new();
        for command in &self.setup {
            let hook = tokio::select! {
                hook = self.run(Stage::Setup, command, None) => hook,
                () = interrupts.next() => return SetUp::Interrupted,
            };
            let is_failed = hook.is_failed();
            ran.push(hook);
            if is_failed {
                break;
            }
        }
        SetUp::Ran(ran)
    }

    /// Runs what comes after everything else, when there is no report to tell of it. Whether
    /// nothing failed.
    pub(super) async fn tear_down_untold(&self, run: Option<&RunId>) -> bool {
        let hooks = self.tear_down(run).await;
        for hook in hooks.iter().filter(|hook| hook.is_failed()) {
            tracing::error!(
                "run teardown: `{}` {}:\n{}",
                hook.command,
                hook.how(),
                hook.output.text
            );
        }
        !hooks.iter().any(Hook::is_failed)
    }

    /// Whether nothing comes after a run.
    pub(super) fn end_nothing(&self) -> bool {
        self.teardown.is_empty()
    }

    /// The options of a run with what was run before it.
    pub(super) fn with(options: &Options, ran: Vec<Hook>) -> Options {
        let hooks = muletrain_proto::hook::Hooks { ran, ..options.hooks.clone() };
        Options { hooks, ..options.clone() }
    }

    /// Runs what comes after everything else.
    pub(super) async fn tear_down(&self, run: Option<&RunId>) -> Vec<Hook> {
        let mut hooks = Vec::new();
        for command in &self.teardown {
            hooks.push(self.run(Stage::Teardown, command, run).await);
        }
        hooks
    }

    async fn run(&self, stage: Stage, command: &str, run: Option<&RunId>) -> Hook {
        tracing::info!("run {stage}: {command}");
        let begun = Instant::now();
        let ended = execute(command, &self.folder, run, self.limit).await;
        let (status, timed_out, bytes) = ended.unwrap_or_else(|error| {
            (None, false, format!("cannot be started: {error}").into_bytes())
        });
        let signal =
            status.and_then(|status| std::os::unix::process::ExitStatusExt::signal(&status));
        Hook {
            scope: Scope::Run,
            stage,
            command: command.to_owned(),
            seconds: begun.elapsed().into(),
            status: status.and_then(|status| status.code()),
            signal,
            timed_out,
            output: bound(&bytes, self.output as usize),
        }
    }
}

type Ended = (Option<std::process::ExitStatus>, bool, Vec<u8>);

/// Runs a command with what it prints in a file, so that nothing that it leaves in the background
/// is waited for.
async fn execute(
    command: &str,
    folder: &Path,
    run: Option<&RunId>,
    limit: Duration,
) -> std::io::Result<Ended> {
    let mut printed = tempfile::tempfile()?;
    let mut shell = tokio::process::Command::new("/bin/sh");
    shell
        .args(["-c", command])
        .current_dir(folder)
        .envs(run.map(|run| ("BUILD_ID", run.as_str())))
        .process_group(0)
        .kill_on_drop(true)
        .stdin(Stdio::null())
        .stdout(printed.try_clone()?)
        .stderr(printed.try_clone()?);
    let mut child = shell.spawn()?;
    let group = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()));
    let ended = tokio::time::timeout(limit, child.wait()).await;
    let (status, timed_out) = match ended {
        Ok(status) => (status?, false),
        Err(_) => {
            if let Some(group) = group {
                // It may have ended just now.
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            (child.wait().await?, true)
        }
    };
    printed.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    printed.read_to_end(&mut bytes)?;
    Ok((Some(status), timed_out, bytes))
}

/// What was printed, its middle left out where it is too much.
fn bound(bytes: &[u8], limit: usize) -> Output {
    if bytes.len() <= limit {
        return Output { text: String::from_utf8_lossy(bytes).into_owned(), omitted: 0 };
    }
    let (head, rest) = bytes.split_at(limit / 2);
    let (middle, tail) = rest.split_at(rest.len() - (limit - limit / 2));
    let (head, tail) = (String::from_utf8_lossy(head), String::from_utf8_lossy(tail));
    let text = format!("{head}\n[{} bytes left out]\n{tail}", middle.len());
    Output { text, omitted: middle.len() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_output_keeps_its_two_ends() {
        let Output { text, omitted } = bound(b"headxxxxxxtail", 8);
        assert_eq!((text.as_str(), omitted), ("head\n[6 bytes left out]\ntail", 6));
        assert_eq!(bound(b"all", 8), Output { text: "all".to_owned(), omitted: 0 });
    }

    #[tokio::test]
    async fn a_command_ends_with_its_status_or_with_its_time() {
        let folder = Path::new("/");
        let limit = Duration::from_secs(60);
        let (status, timed_out, printed) =
            execute("pwd; echo $BUILD_ID >&2; exit 3", folder, None, limit).await.unwrap();
        assert_eq!((status.unwrap().code(), timed_out), (Some(3), false));
        assert_eq!(printed, b"/\n\n");
        let short = Duration::from_millis(50);
        let (status, timed_out, _) = execute("sleep 600", folder, None, short).await.unwrap();
        assert_eq!((status.unwrap().code(), timed_out), (None, true));
    }
}
