//! A service container: whether it is ready, and what became of it.

use std::future::pending;
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error as EngineError;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;
use muletrain_proto::snapshot::Ready;

use super::error::{LogTail, within};
use super::{ACT, ASK, Error, tests_container};

/// Time between two questions whether it is, at first and at most: a server that begins with a
/// kept database answers almost at once.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(200));

/// Lines of its log that a message about it holds.
const LOG_LINES: &str = "30";

/// Bytes of its log that a message about it holds.
const LOG_BYTES: usize = 8 << 10;

/// A service of a pod.
#[derive(Debug, Clone)]
pub(super) struct Service {
    /// Its name.
    pub(super) name: String,
    /// Its container.
    pub(super) container: String,
    /// How it shows that it can be used.
    pub(super) ready: Ready,
    /// How long that may take.
    pub(super) limit: Duration,
    /// Container of what asks its port.
    pub(super) probe: Option<String>,
}

/// Id of a service's image, which has to be there: an agent never fetches what a branch names.
pub(super) async fn image(engine: &Docker, service: &str, image: &str) -> Result<String, Error> {
    let call = engine.inspect_image(image);
    let missing = || Error::NoServiceImage { service: service.to_owned(), image: image.to_owned() };
    match within(ASK, || format!("inspect image {image}"), call).await {
        Ok(found) => found.id.ok_or_else(missing),
        Err(error) if error.status() == Some(404) => Err(missing()),
        Err(error) => Err(error),
    }
}

impl Service {
    /// Starts its created container.
    pub(super) async fn start(&self, engine: &Docker) -> Result<(), Error> {
        let call = engine.start_container(&self.container, None);
        within(ACT, || format!("start service {}", self.name), call).await
    }

    /// Starts what asks its port, a created container.
    pub(super) async fn start_probe(&mut self, engine: &Docker, id: &str) -> Result<(), Error> {
        let call = engine.start_container(id, None);
        within(ACT, || format!("start what asks the port of service {}", self.name), call).await?;
        self.probe = Some(id.to_owned());
        Ok(())
    }

    /// Waits until it can be used.
    pub(super) async fn wait_until_ready(&self, engine: &Docker) -> Result<(), Error> {
        let ready_or_ended = async {
            tokio::select! {
                ready = self.become_ready(engine) => ready.map(|()| None),
                how = self.end(engine) => Ok(Some(how)),
            }
        };
        match tokio::time::timeout(self.limit, ready_or_ended).await {
            Ok(Ok(None)) => Ok(()),
            Ok(Ok(Some(how))) => Err(self.ended(engine, how).await),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                let (service, limit) = (self.name.clone(), self.limit);
                let log = log_tail(engine, &self.container).await;
                Err(Error::ServiceNotReady { service, limit, log })
            }
        }
    }

    /// That it has ended, if it has, before there were any tests.
    pub(super) async fn ended_early(&self, engine: &Docker) -> Option<Error> {
        match self.is_running(engine).await {
            Ok(false) => Some(self.ended(engine, self.end(engine).await).await),
            _ => None,
        }
    }

    async fn ended(&self, engine: &Docker, how: String) -> Error {
        let log = log_tail(engine, &self.container).await;
        Error::ServiceEnded { service: self.name.clone(), how, log }
    }

    /// Why the pod cannot go on, once this service has ended.
    pub(super) async fn wait_until_ended(&self, engine: &Docker) -> String {
        let how = self.end(engine).await;
        let log = log_tail(engine, &self.container).await;
        format!("service {} {how} while tests ran{log}", self.name)
    }

    /// How it ended, once it did.
    async fn end(&self, engine: &Docker) -> String {
        match tests_container::wait(engine, &self.container).await {
            Ok(status) => format!("ended with status {status}"),
            Err(reason) => format!("was lost ({reason})"),
        }
    }

    /// Never comes to an end for a service that has ended.
    async fn become_ready(&self, engine: &Docker) -> Result<(), Error> {
        match &self.ready {
            Ready::Started => match self.is_running(engine).await? {
                true => Ok(()),
                false => pending().await,
            },
            Ready::Command(command) => self.succeed(engine, command).await,
            Ready::Log(text) => self.say(engine, text.as_bytes()).await,
            Ready::Port(_) => self.accept(engine).await,
        }
    }

    async fn is_running(&self, engine: &Docker) -> Result<bool, Error> {
        let what = || format!("inspect service {}", self.name);
        let inspected = within(ASK, what, engine.inspect_container(&self.container, None)).await?;
        Ok(inspected.state.and_then(|state| state.running).unwrap_or(false))
    }

    /// Runs a command in its container until that succeeds.
    async fn succeed(&self, engine: &Docker, command: &[String]) -> Result<(), Error> {
        let (mut pause, longest) = PAUSES;
        loop {
            match self.run(engine, command).await {
                Ok(Some(0)) => return Ok(()),
                // Not ready, or not running.
                Ok(_) | Err(EngineError::DockerResponseServerError { .. }) => {}
                Err(source) => {
                    let what = format!("ask whether service {} is ready", self.name);
                    return Err(Error::Call { what, source });
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(longest);
        }
    }

    /// Runs a command in its container; the exit status.
    async fn run(&self, engine: &Docker, command: &[String]) -> Result<Option<i64>, EngineError> {
        let config = ExecConfig {
            cmd: Some(command.to_owned()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..ExecConfig::default()
        };
        let exec = engine.create_exec(&self.container, config).await?;
        if let StartExecResults::Attached { mut output, .. } =
            engine.start_exec(&exec.id, None).await?
        {
            while output.next().await.is_some() {}
        }
        Ok(engine.inspect_exec(&exec.id).await?.exit_code)
    }

    /// Reads its log until that says something.
    async fn say(&self, engine: &Docker, text: &[u8]) -> Result<(), Error> {
        let options = LogsOptionsBuilder::default().follow(true).stdout(true).stderr(true).build();
        let mut pieces = std::pin::pin!(engine.logs(&self.container, Some(options)));
        let mut seen = Vec::new();
        while let Some(piece) = pieces.next().await {
            let what = || format!("read the log of service {}", self.name);
            let piece = piece.map_err(|source| Error::Call { what: what(), source })?;
            seen.extend_from_slice(piece.as_ref());
            if seen.windows(text.len().max(1)).any(|part| part == text) {
                return Ok(());
            }
            // What the text may still begin with.
            seen.drain(..seen.len().saturating_sub(text.len()));
        }
        pending().await
    }

    /// Waits until what asks its port was answered.
    async fn accept(&self, engine: &Docker) -> Result<(), Error> {
        let Some(probe) = &self.probe else { return pending().await };
        let how = match tests_container::wait(engine, probe).await {
            Ok(0) => return Ok(()),
            Ok(status) => format!("ended with status {status}"),
            Err(reason) => format!("was lost ({reason})"),
        };
        Err(Error::Probe { service: self.name.clone(), how })
    }
}

/// The end of a container's log.
pub(super) async fn log_tail(engine: &Docker, container: &str) -> LogTail {
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(LOG_LINES).build();
    let mut pieces = std::pin::pin!(engine.logs(container, Some(options)));
    let mut text = Vec::new();
    let read = async {
        while let Some(Ok(piece)) = pieces.next().await {
            text.extend_from_slice(piece.as_ref());
        }
    };
    // What was read until then is all there is to say.
    let _ = tokio::time::timeout(ASK, read).await;
    let start = text.len().saturating_sub(LOG_BYTES);
    LogTail(String::from_utf8_lossy(text.get(start..).unwrap_or_default()).into_owned())
}
