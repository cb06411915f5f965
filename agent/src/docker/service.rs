//! A service container: whether it is ready, and what became of it.

use std::time::Duration;

use bollard::Docker;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;
use tokio::time::Instant;

use super::error::{LogTail, within};
use super::{ACT, ASK, Error, tests_container};
use crate::pure::pod::Container;

/// How long a service may take to get ready.
const READY_LIMIT: Duration = Duration::from_secs(120);

/// Time between two questions whether it is.
const PAUSE: Duration = Duration::from_millis(100);

/// Lines of its log that a message about it holds.
const LOG_LINES: &str = "30";

/// Bytes of its log that a message about it holds.
const LOG_BYTES: usize = 8 << 10;

/// A service that was started.
#[derive(Debug)]
pub(super) struct Service {
    name: String,
    container: String,
    ready: Vec<String>,
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

/// Starts a created service.
pub(super) async fn start(
    engine: &Docker,
    name: &str,
    ready: &[String],
    container: &Container,
) -> Result<Service, Error> {
    let call = engine.start_container(&container.name, None);
    within(ACT, || format!("start service {name}"), call).await?;
    Ok(Service {
        name: name.to_owned(),
        container: container.name.clone(),
        ready: ready.to_owned(),
    })
}

impl Service {
    /// Asks its probe until it succeeds.
    pub(super) async fn wait_until_ready(&self, engine: &Docker) -> Result<(), Error> {
        let deadline = Instant::now() + READY_LIMIT;
        while !self.is_ready(engine).await? {
            if !self.is_running(engine).await? {
                let log = self.log_tail(engine).await;
                return Err(Error::ServiceEnded { service: self.name.clone(), log });
            }
            if Instant::now() >= deadline {
                let log = self.log_tail(engine).await;
                let service = self.name.clone();
                return Err(Error::ServiceNotReady { service, limit: READY_LIMIT, log });
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// Why the pod cannot go on, once this service has ended.
    pub(super) async fn wait_until_ended(&self, engine: &Docker) -> String {
        let how = match tests_container::wait(engine, &self.container).await {
            Ok(status) => format!("ended with status {status}"),
            Err(reason) => format!("was lost: {reason}"),
        };
        format!("service {} {how} while tests ran{}", self.name, self.log_tail(engine).await)
    }

    async fn is_running(&self, engine: &Docker) -> Result<bool, Error> {
        let what = || format!("inspect service {}", self.name);
        let inspected = within(ASK, what, engine.inspect_container(&self.container, None)).await?;
        Ok(inspected.state.and_then(|state| state.running).unwrap_or(false))
    }

    async fn is_ready(&self, engine: &Docker) -> Result<bool, Error> {
        if self.ready.is_empty() {
            return self.is_running(engine).await;
        }
        match within(ACT, || format!("probe service {}", self.name), self.probe(engine)).await {
            Ok(status) => Ok(status == Some(0)),
            // It is not running, or not yet.
            Err(error) if matches!(error.status(), Some(404 | 409 | 500)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Exit status of the probe.
    async fn probe(&self, engine: &Docker) -> Result<Option<i64>, bollard::errors::Error> {
        let config = ExecConfig {
            cmd: Some(self.ready.clone()),
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

    async fn log_tail(&self, engine: &Docker) -> LogTail {
        let options =
            LogsOptionsBuilder::default().stdout(true).stderr(true).tail(LOG_LINES).build();
        let mut pieces = std::pin::pin!(engine.logs(&self.container, Some(options)));
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
}
