//! An image registry that private engines reach, and whoever logs in may use.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use tempfile::TempDir;

use crate::private_engine::PrivateEngine;
use crate::program::output;
use crate::wait::until;

/// Where it listens, in the network of each engine.
const ADDRESS: &str = "127.0.0.1:5000";

/// The password of its only user, which nothing may print. It has what the alphabets of base64
/// write differently.
pub const PASSWORD: &str = "canary>>>of???the-registry";

/// The user and the hash of the password, as `htpasswd -B` writes them.
const USERS: &str = "team:$2b$04$VVA3MHO1Qc.LxUf/DnUk5OcNT8arW3yo3P4i1Qitb0Uum3abFmQmG";

/// The same as `docker login` keeps it: base64 of `team:PASSWORD`.
const AUTH: &str = "dGVhbTpjYW5hcnk+Pj5vZj8/P3RoZS1yZWdpc3RyeQ==";

/// How long it may take to listen.
const LIMIT: Duration = Duration::from_secs(20);

/// A registry; it ends when this is dropped.
#[derive(Debug)]
pub struct Registry {
    folder: TempDir,
    /// One in the network of each engine, which all keep their images in one folder.
    servers: Vec<Child>,
}

impl Registry {
    /// Starts a registry that these engines reach.
    ///
    /// # Panics
    /// When it cannot be had or started; it takes root.
    #[must_use]
    #[track_caller]
    pub fn start(engines: &[&PrivateEngine]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bin/registry");
        let program = PathBuf::from(output(&mut Command::new(script)).trim());
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let mut registry = Self { folder, servers: vec![] };
        registry.configure();
        for (number, engine) in engines.iter().enumerate() {
            let server = registry.serve(&program, engine, number);
            registry.servers.push(server);
        }
        for number in 0..engines.len() {
            until("a registry", LIMIT, || {
                registry.log(number).contains("listening on").then_some(())
            });
        }
        registry
    }

    fn configure(&self) {
        let path = |name: &str| self.folder.path().join(name);
        fs::write(path("users"), USERS).expect("files can be written");
        let login = format!(r#"{{"auths": {{"{ADDRESS}": {{"auth": "{AUTH}"}}}}}}"#);
        fs::create_dir(self.login()).expect("the folder is new");
        fs::write(self.login().join("config.json"), login).expect("files can be written");
        let (images, users) = (path("images"), path("users"));
        let text = format!(
            "version: 0.1\nlog: {{level: info}}\nhttp: {{addr: '{ADDRESS}'}}\n\
             storage: {{filesystem: {{rootdirectory: '{}'}}}}\n\
             auth: {{htpasswd: {{realm: tests, path: '{}'}}}}\n",
            images.display(),
            users.display()
        );
        fs::write(path("registry.yml"), text).expect("files can be written");
    }

    fn serve(&self, program: &Path, engine: &PrivateEngine, number: usize) -> Child {
        let log = || File::options().append(true).create(true).open(self.log_path(number));
        let mut command = Command::new("setpriv");
        // Whatever becomes of the test, its registry goes.
        command.args(["--pdeathsig", "KILL", "nsenter"]);
        command.arg(format!("--net={}", engine.network().display()));
        command.args(["sh", "-c", "ip link set lo up && exec \"$0\" serve \"$1\""]);
        command.arg(program).arg(self.folder.path().join("registry.yml"));
        command.stdout(log().expect("files can be written"));
        command.stderr(log().expect("files can be written"));
        command.spawn().expect("util-linux is installed")
    }

    /// A repository in it.
    #[must_use]
    pub fn repository(&self) -> String {
        format!("{ADDRESS}/team/muletrain")
    }

    /// The folder in which `docker login` would have kept what it wants to know, for
    /// `DOCKER_CONFIG`.
    #[must_use]
    pub fn login(&self) -> PathBuf {
        self.folder.path().join("login")
    }

    /// How many layers and configurations an engine has got from it.
    #[must_use]
    pub fn given(&self, engine: usize) -> usize {
        let is_given = |line: &&str| {
            line.contains("response completed")
                && line.contains("http.request.method=GET")
                && line.contains("/blobs/sha256:")
                && line.contains("http.response.status=200")
        };
        self.log(engine).lines().filter(is_given).count()
    }

    /// Ends it, as where its host is gone.
    pub fn stop(&mut self) {
        for mut server in self.servers.drain(..) {
            // One that has ended need not be ended.
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    fn log(&self, engine: usize) -> String {
        fs::read_to_string(self.log_path(engine)).unwrap_or_default()
    }

    fn log_path(&self, engine: usize) -> PathBuf {
        self.folder.path().join(format!("log-{engine}"))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (0..self.servers.len())
                .for_each(|it| eprintln!("--- log of a registry\n{}", self.log(it)));
        }
        self.stop();
    }
}
