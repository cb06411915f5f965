//! The container that runs the tests: its image, its streams, its end.

use std::future::pending;
use std::time::Duration;

use bollard::Docker;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error as EngineError;
use bollard::query_parameters::{AttachContainerOptionsBuilder, WaitContainerOptionsBuilder};
use bytes::Bytes;
use futures_util::future::select_all;
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::io::StreamReader;

use super::error::within;
use super::service::Service;
use super::{ACT, ASK, Error};
use crate::pod::{Pod, Streams};
use crate::pure::outcome::Exit;

/// Pieces of output read ahead.
const READ_AHEAD: usize = 16;

/// How long an engine that is about to stop may take to stop answering: it kills containers first.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Checks that the engine has just this image, under the id by which it is asked for.
pub(super) async fn check_image(engine: &Docker, image: &str, platform: &str) -> Result<(), Error> {
    let call = engine.inspect_image(image);
    let found = match within(ASK, || format!("inspect image {image}"), call).await {
        Ok(found) => found,
        Err(error) if error.status() == Some(404) => {
            return Err(Error::NoImage { image: image.to_owned() });
        }
        Err(error) => return Err(error),
    };
    let id = found.id.unwrap_or_default();
    if id != image {
        return Err(Error::OtherImage { image: image.to_owned(), found: id });
    }
    let (os, architecture) = (found.os.unwrap_or_default(), found.architecture.unwrap_or_default());
    match format!("{os}/{architecture}") {
        found if found == platform => Ok(()),
        found => {
            Err(Error::Platform { image: image.to_owned(), found, platform: platform.to_owned() })
        }
    }
}

/// Attaches to a created container, starts it, and watches it and its services.
pub(super) async fn start(
    engine: &Docker,
    id: String,
    services: Vec<Service>,
) -> Result<Pod, Error> {
    let options = AttachContainerOptionsBuilder::default()
        .stream(true)
        .stdin(true)
        .stdout(true)
        .stderr(true)
        .build();
    let what = || format!("attach to container {id}");
    let attached = within(ACT, what, engine.attach_container(&id, Some(options))).await?;
    let what = || format!("start container {id}");
    within(ACT, what, engine.start_container(&id, None)).await?;
    let exited = watch(engine.clone(), id.clone(), services).boxed();
    Ok(Pod::new(id, streams(attached), exited))
}

/// The streams that the engine sends interleaved.
fn streams(attached: AttachContainerResults) -> Streams {
    let (to_output, output) = mpsc::channel::<std::io::Result<Bytes>>(READ_AHEAD);
    let (to_errors, errors) = mpsc::channel::<std::io::Result<Bytes>>(READ_AHEAD);
    let mut interleaved = attached.output;
    tokio::spawn(async move {
        while let Some(Ok(piece)) = interleaved.next().await {
            let sent = match piece {
                LogOutput::StdErr { message } => to_errors.send(Ok(message)).await,
                LogOutput::StdOut { message } | LogOutput::Console { message } => {
                    to_output.send(Ok(message)).await
                }
                LogOutput::StdIn { .. } => Ok(()),
            };
            if sent.is_err() {
                return;
            }
        }
    });
    Streams {
        input: attached.input,
        output: Box::pin(StreamReader::new(ReceiverStream::new(output))),
        errors: Box::pin(StreamReader::new(ReceiverStream::new(errors))),
    }
}

/// How the pod ended: its tests, or a service under them.
async fn watch(engine: Docker, id: String, services: Vec<Service>) -> Exit {
    let service_ended = async {
        if services.is_empty() {
            return pending().await;
        }
        let ends = services.iter().map(|service| service.wait_until_ended(&engine).boxed());
        select_all(ends).await.0
    };
    tokio::select! {
        exit = exit(&engine, &id) => exit,
        reason = service_ended => Exit::Lost { reason },
    }
}

async fn exit(engine: &Docker, id: &str) -> Exit {
    let status = match wait(engine, id).await {
        Ok(status) => status,
        Err(reason) => return Exit::Lost { reason },
    };
    let what = || format!("inspect container {id}");
    let state = match within(ASK, what, engine.inspect_container(id, None)).await {
        Ok(inspected) => inspected.state.unwrap_or_default(),
        Err(error) => {
            let reason = format!("the pod ended and its engine cannot say how: {error}");
            return Exit::Lost { reason };
        }
    };
    let out_of_memory = state.oom_killed.unwrap_or(false);
    if status != 0 && !out_of_memory && within(LAST_WORD, what, engine.ping()).await.is_err() {
        let reason = "the Docker Engine stopped, and the pod with it".to_owned();
        return Exit::Lost { reason };
    }
    Exit::Process {
        status: i32::try_from(status).ok(),
        signal: None,
        out_of_memory,
        stderr: String::new(),
    }
}

/// Waits for the end of a container; its exit status, or why there is none.
pub(super) async fn wait(engine: &Docker, id: &str) -> Result<i64, String> {
    let options = WaitContainerOptionsBuilder::default().condition("not-running").build();
    let mut answers = std::pin::pin!(engine.wait_container(id, Some(options)));
    match answers.next().await {
        Some(Ok(answer)) => Ok(answer.status_code),
        Some(Err(EngineError::DockerContainerWaitError { code, error })) if error.is_empty() => {
            Ok(code)
        }
        Some(Err(EngineError::DockerResponseServerError { status_code: 404, .. })) => {
            Err("the container was removed by someone else".to_owned())
        }
        Some(Err(error)) => Err(format!("the connection to the Docker Engine broke: {error}")),
        None => Err("the Docker Engine went away, and the pod with it".to_owned()),
    }
}
