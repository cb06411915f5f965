//! Projects frozen on a real engine, and what their images hold.

use std::process::Command;
use std::sync::LazyLock;

use muletrain_proto::snapshot::{Content, Snapshot};

use super::Project;

/// An image with Python and nothing else, made from Debian's packages where it is missing.
pub(crate) static BASE: LazyLock<&str> = LazyLock::new(|| {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/bin/base-image");
    assert!(Command::new(script).status().unwrap().success(), "{script}");
    "muletrain-test-base:bookworm"
});

/// Copies the project's own "Django" into the image.
pub(crate) const INSTALL: &str = "cp -r django /usr/lib/python3/dist-packages/";

/// A project whose images are removed with it.
pub(crate) struct Frozen(pub(crate) Project);

impl Frozen {
    /// A project that starts from [`BASE`]; `more` are further keys of `[image]` and tables.
    pub(crate) fn new(steps: &[&str], more: &str) -> Self {
        let base = *BASE;
        let project = Project::new("");
        // Tests at once must not find the images of one another.
        let own = format!(": {}", project.name());
        let steps: Vec<&str> = steps.iter().copied().chain([own.as_str()]).collect();
        let text = format!("[image]\nbase = {base:?}\ninstall = {steps:?}\n{more}");
        project.write("muletrain.toml", &text);
        Self(project)
    }

    /// A project whose base is what a Dockerfile makes after Python and "Django" are in it.
    pub(crate) fn on(more: &str, instructions: &str) -> Self {
        let base = *BASE;
        let project = Project::new(&format!("[image]\ndockerfile = \"Dockerfile\"\n{more}"));
        let own = project.name();
        project.write(
            "Dockerfile",
            &format!(
                "FROM {base}\nCOPY django /usr/lib/python3/dist-packages/django\nLABEL own={own}\n\
                 {instructions}\n"
            ),
        );
        Self(project)
    }

    pub(crate) fn build(&self) -> Snapshot {
        self.0.build(&["--runtime", "docker"]).snapshot()
    }

    pub(crate) fn error(&self) -> String {
        self.0.build(&["--runtime", "docker"]).error(4)
    }

    pub(crate) fn label(&self) -> String {
        format!("label=muletrain.project={}", self.0.name())
    }

    pub(crate) fn has_containers(&self) -> bool {
        !docker(&["ps", "--all", "--quiet", "--filter", &self.label()]).is_empty()
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // What was made of an image goes first; what another test builds on stays.
        for _ in 0..3 {
            let images = docker(&["images", "--quiet", "--filter", &self.label()]);
            for image in images.lines() {
                let _ = Command::new("docker").args(["rmi", "--force", image]).output();
            }
        }
    }
}

pub(crate) fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub(crate) fn image(snapshot: &Snapshot) -> &str {
    match &snapshot.content {
        Content::Docker { image, .. } => image,
        Content::Process { .. } => panic!("no image"),
    }
}

/// What a shell says in the snapshot's image.
pub(crate) fn shell(snapshot: &Snapshot, script: &str) -> String {
    let run = ["run", "--rm", "--network", "none", "--entrypoint", "sh"];
    docker(&[&run[..], &[image(snapshot), "-c", script]].concat())
}

/// The image with the dependencies that a snapshot is made on.
pub(crate) fn base(snapshot: &Snapshot) -> String {
    let label = "{{index .Config.Labels \"muletrain.base-image\"}}";
    docker(&["inspect", "--format", label, image(snapshot)])
}
