//! A container that images are made in.
//!
//! Its only process waits for the end of its standard input, which this process holds: whatever
//! becomes of the builder, the container ends and is removed, once it has started. Commands run beside that process,
//! with an environment of their own, so that none of it gets into an image.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::pin::Pin;

use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error as Refused;
use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::models::{
    ChangeType, ContainerConfig, ContainerCreateBody, HostConfig, HostConfigLogConfig, Mount,
    MountType,
};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CommitContainerOptionsBuilder, CreateContainerOptionsBuilder,
    DownloadFromContainerOptionsBuilder, RemoveContainerOptionsBuilder,
    UploadToContainerOptionsBuilder,
};
use futures_util::TryStreamExt;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::engine::{Engine, Image, LONG, MEDIUM, SHORT, WORK, stream, within};
use super::{Error, LABEL, PROJECT};
use crate::source::Source;
use crate::source::archive::Contents;

/// Where steps find the certificate authorities: in memory, so that no trace of it is committed.
pub(super) const BUNDLE: &str = "/dev/shm/muletrain-ca-certificates.crt";

/// A container that images are made in; it ends when this is dropped.
pub(super) struct Container<'a> {
    engine: &'a Engine,
    id: String,
    image: String,
    /// Held open: its end is the container's end.
    _input: Pin<Box<dyn AsyncWrite + Send>>,
}

/// What a container is for and may do.
#[derive(Debug, Default)]
pub(super) struct Access<'a> {
    /// What it is for, as part of its name.
    pub purpose: &'a str,
    /// Name of the project it works for.
    pub project: &'a str,
    /// Whether it reaches the network, as installing does.
    pub network: bool,
    /// File of certificate authorities that it sees at [`BUNDLE`].
    pub bundle: Option<&'a Path>,
}

/// A command in a container.
#[derive(Debug, Default)]
pub(super) struct Command<'a> {
    /// Its words.
    pub words: Vec<&'a str>,
    /// User it runs as.
    pub user: &'a str,
    /// Folder it runs in.
    pub folder: &'a str,
    /// `NAME=value`, for it alone.
    pub environment: Vec<String>,
    /// What it is given on its standard input.
    pub input: Vec<u8>,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit code.
    pub status: i64,
    /// All it said, on either stream.
    pub output: Vec<u8>,
    /// What it said on its standard output.
    pub answer: Vec<u8>,
}

impl<'a> Container<'a> {
    /// Starts a container of an image.
    pub(super) async fn start(
        engine: &'a Engine,
        image: &Image,
        access: &Access<'_>,
    ) -> Result<Self, Error> {
        let docker = &engine.docker;
        let id = create(engine, image, access).await?;
        let name = image.name.clone();
        let started = async {
            let options = AttachContainerOptionsBuilder::default().stream(true).stdin(true).build();
            let attach = docker.attach_container(&id, Some(options));
            let AttachContainerResults { input, .. } =
                within("attach to a container", MEDIUM, attach).await?;
            within("start a container", MEDIUM, docker.start_container(&id, None)).await?;
            Ok(input)
        };
        match started.await {
            Ok(input) => Ok(Self { engine, id, image: name, _input: input }),
            Err(error) => {
                // The error at hand is the one to tell of.
                let _ = remove(engine, &id).await;
                Err(error)
            }
        }
    }

    /// What people call the image it was made of.
    pub(super) fn image(&self) -> &str {
        &self.image
    }

    /// Runs a command to its end.
    pub(super) async fn run(&self, command: Command<'_>) -> Result<Ended, Error> {
        let docker = &self.engine.docker;
        let options = CreateExecOptions {
            attach_stdin: Some(!command.input.is_empty()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(command.words.into_iter().map(str::to_owned).collect()),
            env: Some(command.environment),
            user: Some(command.user.to_owned()),
            working_dir: Some(command.folder.to_owned()),
            ..CreateExecOptions::default()
        };
        let exec =
            within("prepare a command", MEDIUM, docker.create_exec(&self.id, options)).await?;
        let call = async {
            let (mut output, mut answer) = (Vec::new(), Vec::new());
            if let StartExecResults::Attached { output: mut log, mut input } =
                docker.start_exec(&exec.id, None).await?
            {
                if !command.input.is_empty() {
                    input.write_all(&command.input).await?;
                    input.flush().await?;
                }
                while let Some(part) = log.try_next().await? {
                    output.extend_from_slice(part.as_ref());
                    if let LogOutput::StdOut { message } = part {
                        answer.extend_from_slice(&message);
                    }
                }
            }
            Ok((output, answer))
        };
        let (output, answer) = within("run a command", WORK, call).await?;
        let state = within("look a command up", SHORT, docker.inspect_exec(&exec.id)).await?;
        // Without a code the container was ended under it.
        Ok(Ended { status: state.exit_code.unwrap_or(-1), output, answer })
    }

    /// Runs a shell command that must succeed; shows its log where it does not.
    pub(super) async fn step(
        &self,
        shell: &str,
        user: &str,
        folder: &str,
        environment: &[String],
    ) -> Result<(), Error> {
        // One stream keeps the order of what is said.
        let script = format!("exec 2>&1\n{shell}");
        let words = vec!["/bin/sh", "-euc", &script];
        let environment = environment.to_vec();
        let command = Command { words, user, folder, environment, ..Command::default() };
        let ended = self.run(command).await?;
        if ended.status == 0 {
            return Ok(());
        }
        // Standard error may be closed; there is nowhere left to show it.
        let _ = std::io::stderr().write_all(&ended.output);
        let (command, image) = (shell.to_owned(), self.image.clone());
        Err(Error::Step { command, status: ended.status, image })
    }

    /// Puts files of a source into the container; `staging` takes the archive.
    pub(super) async fn upload(
        &self,
        contents: &Contents<'_>,
        source: &Source,
        staging: &Path,
    ) -> Result<(), Error> {
        let body = bollard::body_try_stream(stream(contents.pack(source, staging)?));
        let options = UploadToContainerOptionsBuilder::default().path("/").build();
        let call = self.engine.docker.upload_to_container(&self.id, Some(options), body);
        within("copy the project into a container", LONG, call).await
    }

    /// What has changed in it: letters (added, modified, deleted) and paths.
    pub(super) async fn changes(&self) -> Result<Vec<(char, String)>, Error> {
        let call = self.engine.docker.container_changes(&self.id);
        let changes = within("look up what has changed in a container", MEDIUM, call).await?;
        let letter = |kind| match kind {
            ChangeType::_0 => 'M',
            ChangeType::_1 => 'A',
            ChangeType::_2 => 'D',
        };
        let changes = changes.unwrap_or_default().into_iter();
        Ok(changes.map(|change| (letter(change.kind), change.path)).collect())
    }

    /// Makes an image `repository:tag` of the container, which goes on.
    pub(super) async fn commit(
        &self,
        config: ContainerConfig,
        repository: &str,
        tag: &str,
    ) -> Result<String, Error> {
        let options =
            CommitContainerOptionsBuilder::default().container(&self.id).repo(repository).tag(tag);
        let call = self.engine.docker.commit_container(options.build(), config);
        Ok(within("make an image of a container", LONG, call).await?.id)
    }

    /// Removes the container, and waits until it is gone. Where the engine takes too long, what
    /// was made stands all the same: the container ends when its input does.
    pub(super) async fn remove(self) {
        if let Err(error) = remove(self.engine, &self.id).await {
            tracing::warn!(container = self.id, %error, "a container may be left");
        }
    }
}

/// Makes a container that does not run yet, and returns its id.
async fn create(engine: &Engine, image: &Image, access: &Access<'_>) -> Result<String, Error> {
    let name = format!("{}-{}", engine.builder, access.purpose);
    let options = CreateContainerOptionsBuilder::default().name(&name).build();
    let call = async {
        match engine.docker.create_container(Some(options), request(image, access)).await {
            Err(Refused::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            created => created.map(Some),
        }
    };
    let created = within("create a container", MEDIUM, call).await?;
    let created = created.ok_or_else(|| Error::Lost { image: image.name.clone() })?;
    Ok(created.id)
}

/// The content of a file of an image; none where the image has no such file.
pub(super) async fn read_file(
    engine: &Engine,
    image: &Image,
    path: &str,
) -> Result<Option<Vec<u8>>, Error> {
    let id = create(engine, image, &Access { purpose: "reading", ..Access::default() }).await?;
    let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
    let call = async {
        let parts = engine.docker.download_from_container(&id, Some(options));
        match parts.try_collect::<Vec<_>>().await {
            Err(Refused::DockerResponseServerError { status_code: 404, .. }) => Ok(None),
            parts => parts.map(|parts| Some(parts.concat())),
        }
    };
    let archive = within("read a file of an image", MEDIUM, call).await;
    if let Err(error) = remove(engine, &id).await {
        tracing::warn!(container = id, %error, "a container may be left");
    }
    Ok(archive?.and_then(|archive| first_file(&archive)))
}

/// The content of the first file of an archive.
fn first_file(archive: &[u8]) -> Option<Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let mut file = archive.entries().ok()?.next()?.ok()?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut file, &mut bytes).ok()?;
    Some(bytes)
}

pub(super) async fn remove(engine: &Engine, id: &str) -> Result<(), Error> {
    let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
    let call = async {
        match engine.docker.remove_container(id, Some(options)).await {
            // It is gone, or on its way.
            Err(Refused::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
            result => result,
        }
    };
    within("remove a container", MEDIUM, call).await
}

fn request(image: &Image, access: &Access<'_>) -> ContainerCreateBody {
    let mount = |path: &Path| Mount {
        typ: Some(MountType::BIND),
        source: Some(path.to_string_lossy().into_owned()),
        target: Some(BUNDLE.to_owned()),
        read_only: Some(true),
        ..Mount::default()
    };
    ContainerCreateBody {
        image: Some(image.id.clone()),
        entrypoint: Some(vec!["cat".to_owned()]),
        cmd: Some(Vec::new()),
        user: Some("0:0".to_owned()),
        attach_stdin: Some(true),
        open_stdin: Some(true),
        stdin_once: Some(true),
        labels: Some(HashMap::from([
            (LABEL.to_owned(), muletrain_proto::VERSION.to_owned()),
            (PROJECT.to_owned(), access.project.to_owned()),
        ])),
        host_config: Some(HostConfig {
            auto_remove: Some(true),
            network_mode: (!access.network).then(|| "none".to_owned()),
            mounts: access.bundle.map(|path| vec![mount(path)]),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            log_config: Some(HostConfigLogConfig {
                typ: Some("none".to_owned()),
                ..HostConfigLogConfig::default()
            }),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// What an image made of a container is to have: all that the image it came from had, and not
/// the process that kept the container alive.
pub(super) fn config_of(image: &Image, labels: HashMap<String, String>) -> ContainerConfig {
    let config = &image.config;
    // Where both were empty, the engine would fill in the container's own.
    let shell = || vec!["/bin/sh".to_owned()];
    ContainerConfig {
        cmd: Some(config.cmd.clone().filter(|cmd| !cmd.is_empty()).unwrap_or_else(shell)),
        entrypoint: Some(config.entrypoint.clone().unwrap_or_default()),
        user: Some(config.user.clone().unwrap_or_default()),
        working_dir: config.working_dir.clone(),
        env: config.env.clone(),
        labels: Some(labels),
        ..ContainerConfig::default()
    }
}
