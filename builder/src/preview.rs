//! What a snapshot would hold, and what stays out and why, for people and for scripts.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::pure::left_out::{Reason, few};
use crate::pure::tree::Node;
use crate::source::Source;

/// What a snapshot would hold, and what not.
#[derive(Debug, Serialize)]
pub struct Preview {
    count: usize,
    bytes: u64,
    files: Vec<File>,
    left_out: Vec<LeftOut>,
    tracked_keys: Vec<String>,
}

#[derive(Debug, Serialize)]
struct File {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    executable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_to: Option<String>,
}

#[derive(Debug, Serialize)]
struct LeftOut {
    reason: Reason,
    why: String,
    #[serde(serialize_with = "as_text")]
    paths: Vec<PathBuf>,
}

impl Preview {
    /// The preview of a source, beside which git ignores some paths.
    #[must_use]
    pub fn new(source: &Source, ignored: Vec<PathBuf>) -> Self {
        let files: Vec<File> =
            source.manifest.0.iter().map(|(path, node)| File::new(path, node)).collect();
        let mut left_out = source.left_out.0.clone();
        if !ignored.is_empty() {
            left_out.insert(Reason::Ignored, ignored);
        }
        let left_out = left_out.into_iter().map(|(reason, paths)| LeftOut {
            reason,
            why: reason.to_string(),
            paths,
        });
        Self {
            count: files.len(),
            bytes: files.iter().filter_map(|file| file.bytes).sum(),
            files,
            left_out: left_out.collect(),
            tracked_keys: source.keys.iter().map(|path| text(path)).collect(),
        }
    }

    /// As a text; with every path where `all` is wanted.
    #[must_use]
    pub fn text(&self, all: bool) -> String {
        let mut text = String::new();
        for file in self.files.iter().filter(|_| all) {
            let link = file.link_to.as_ref().map(|target| format!(" → {target}"));
            let _ = writeln!(text, "{}{}", file.path, link.unwrap_or_default());
        }
        let _ = writeln!(text, "{} files, {} bytes", self.count, self.bytes);
        for LeftOut { why, paths, .. } in &self.left_out {
            let each = paths.iter().map(|path| path.display().to_string()).filter(|_| all);
            for paths in each.chain((!all).then(|| few(paths))) {
                let _ = writeln!(text, "left out {paths}: {why}");
            }
        }
        if !self.tracked_keys.is_empty() {
            let keys = self.tracked_keys.join(", ");
            let _ = writeln!(text, "in it, and private keys by their look: {keys}");
        }
        text
    }
}

impl File {
    fn new(path: &Path, node: &Node) -> Self {
        let path = text(path);
        match node {
            Node::File { executable, size, .. } => {
                Self { path, bytes: Some(*size), executable: *executable, link_to: None }
            }
            Node::Link { target } => {
                Self { path, bytes: None, executable: false, link_to: Some(text(target)) }
            }
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn as_text<S: serde::Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| text(path)))
}
