//! Images as archives: a configuration that depends on nothing but what it is made of, and one
//! layer on those that an engine has.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::digest::hexadecimal;

/// When every image was made, as far as its configuration says: the time of its files.
const CREATED: &str = "2000-01-01T00:00:00Z";

/// What an image is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    /// `amd64` and the like.
    pub architecture: String,
    /// Its variant, such as `v8`.
    pub variant: Option<String>,
    /// `linux`.
    pub os: String,
    /// What containers get.
    pub config: Config,
    /// Digests of its layers, `sha256:…`, the lowest first.
    pub layers: Vec<String>,
}

/// What containers of an image get.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Config {
    /// `uid:gid`.
    pub user: String,
    /// Ports it says it serves.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub exposed_ports: BTreeMap<String, Nothing>,
    /// `NAME=value`.
    pub env: Vec<String>,
    /// What the command is given to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entrypoint: Vec<String>,
    /// What it runs.
    pub cmd: Vec<String>,
    /// Folders that are volumes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, Nothing>,
    /// Where it starts.
    pub working_dir: String,
    /// How it is asked for its health.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<serde_json::Value>,
    /// The signal that ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// What commands of a Dockerfile on it are given to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shell: Vec<String>,
    /// What a Dockerfile on it begins with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on_build: Vec<String>,
    /// What is said of it.
    pub labels: BTreeMap<String, String>,
}

/// An object without members: what sets are made of in images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Nothing {}

/// An image as the members of an archive.
#[derive(Debug)]
pub struct Image {
    /// `sha256:…` of its configuration.
    pub id: String,
    /// Digests of its layers, the lowest first.
    pub layers: Vec<String>,
    /// Its configuration.
    pub config: (String, Vec<u8>),
    /// Where the archive has its only layer.
    pub layer: String,
    /// What the archive says of itself.
    pub manifest: Vec<u8>,
}

#[derive(Serialize)]
struct Document<'a> {
    architecture: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    config: &'a Config,
    created: &'a str,
    os: &'a str,
    rootfs: RootFs<'a>,
}

#[derive(Serialize)]
struct RootFs<'a> {
    r#type: &'a str,
    diff_ids: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry<'a> {
    config: &'a str,
    repo_tags: [&'a str; 1],
    layers: Vec<String>,
}

impl Image {
    /// The image of these parts and one more layer, to be called `name`.
    ///
    /// # Errors
    /// Never for what can be written as JSON, as all parts can.
    pub fn new(parts: &Parts, layer: &[u8], name: &str) -> serde_json::Result<Self> {
        let mut layers = parts.layers.clone();
        layers.push(digest(layer));
        let config = serde_json::to_vec(&Document {
            architecture: &parts.architecture,
            variant: parts.variant.as_deref(),
            config: &parts.config,
            created: CREATED,
            os: &parts.os,
            rootfs: RootFs { r#type: "layers", diff_ids: &layers },
        })?;
        let id = digest(&config);
        let file = |digest: &str| format!("{}/layer.tar", bare(digest));
        let config_file = format!("{}.json", bare(&id));
        let manifest = serde_json::to_vec(&[Entry {
            config: &config_file,
            repo_tags: [name],
            layers: layers.iter().map(|layer| file(layer)).collect(),
        }])?;
        let layer = layers.last().map(|layer| file(layer)).unwrap_or_default();
        Ok(Self { id, layers, config: (config_file, config), layer, manifest })
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hexadecimal(&Sha256::digest(bytes)))
}

fn bare(digest: &str) -> &str {
    digest.trim_start_matches("sha256:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_parts_give_the_same_image() {
        let config = Config {
            user: "1000:1000".to_owned(),
            env: vec!["PATH=/bin".to_owned()],
            cmd: vec!["sh".to_owned()],
            volumes: [("/data".to_owned(), Nothing {})].into(),
            working_dir: "/app".to_owned(),
            labels: [("b".to_owned(), "2".to_owned()), ("a".to_owned(), "1".to_owned())].into(),
            ..Config::default()
        };
        let parts = Parts {
            architecture: "amd64".to_owned(),
            os: "linux".to_owned(),
            config,
            layers: vec!["sha256:aa".to_owned()],
            variant: None,
        };
        let image = Image::new(&parts, b"layer", "shop:1").unwrap();
        insta::assert_snapshot!(String::from_utf8_lossy(&image.config.1), @r#"{"architecture":"amd64","config":{"User":"1000:1000","Env":["PATH=/bin"],"Cmd":["sh"],"Volumes":{"/data":{}},"WorkingDir":"/app","Labels":{"a":"1","b":"2"}},"created":"2000-01-01T00:00:00Z","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:aa","sha256:dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85"]}}"#);
        insta::assert_snapshot!(String::from_utf8_lossy(&image.manifest), @r#"[{"Config":"6fe64e46558e73ad63f3ec716682333480ca448f5883619f79795b3c06f1bf71.json","RepoTags":["shop:1"],"Layers":["aa/layer.tar","dac1d7cfa95021764849fd102524e141488c5e3a90f861dbb5a12d9ac8584f85/layer.tar"]}]"#);
        assert_eq!(Image::new(&parts, b"layer", "shop:2").unwrap().id, image.id);
        assert_ne!(Image::new(&parts, b"other", "shop:1").unwrap().id, image.id);
    }
}
