//! The folder of an image that the project goes to: which it is, and that what is put there stays.

use std::path::Path;

use muletrain_proto::config::Image as Configured;
use serde::Deserialize;

use super::Error;
use super::engine::Image;
use crate::pure::dockerfile::ROOT;
use crate::pure::tree::Manifest;

/// Where the project goes in an image, and the volumes that containers of it get.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Place {
    /// Where the project goes.
    pub root: String,
    /// Folders whose content no image made of a container has.
    pub volumes: Vec<String>,
}

impl Place {
    /// What the configuration and the image say, links and all.
    pub(super) fn said(configured: &Configured, image: &Image) -> Self {
        let normal = |path: &String| normal(path);
        let own = image.config.working_dir.as_ref().filter(|path| path.starts_with('/'));
        let own = own.map(normal).filter(|path| path != "/");
        let root = configured.root.as_ref().map(normal).or(own);
        let volumes = image.config.volumes.iter().flatten().map(normal).collect();
        Self { root: root.unwrap_or_else(|| ROOT.to_owned()), volumes }
    }

    /// Refuses a place where files of the project would not stay.
    pub(super) fn check(&self, image: &Image, manifest: &Manifest) -> Result<(), Error> {
        let (image, root) = (image.name.clone(), self.root.clone());
        if root == "/" {
            return Err(Error::WholeImage { image });
        }
        match self.volumes.iter().find(|volume| self.takes(volume, manifest)) {
            Some(volume) => Err(Error::Volume { image, volume: volume.clone(), root }),
            None => Ok(()),
        }
    }

    /// Whether files of the project would go to a volume.
    fn takes(&self, volume: &str, manifest: &Manifest) -> bool {
        let (root, volume) = (Path::new(&self.root), Path::new(volume));
        let within = volume.strip_prefix(root).ok();
        let has_files = |within| manifest.0.keys().any(|path| path.starts_with(within));
        root.starts_with(volume) || within.is_some_and(has_files)
    }
}

/// An absolute path without empty parts and `.`.
pub(super) fn normal(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pure::tree::Node;

    #[test]
    fn a_root_is_written_in_one_way() {
        assert_eq!(normal("//app"), "/app");
        assert_eq!(normal("/srv/./app//"), "/srv/app");
        assert_eq!(normal("//."), "/");
    }

    #[test]
    fn a_volume_takes_what_is_put_below_it() {
        let node = Node::Link { target: "x".into() };
        let manifest = Manifest([("media/a".into(), node)].into());
        let takes = |volume: &str| {
            let place = Place { root: "/srv/app".to_owned(), volumes: Vec::new() };
            place.takes(volume, &manifest)
        };
        assert!(
            ["/", "/srv", "/srv/app", "/srv/app/media", "/srv/app/media/a"].map(takes) == [true; 5]
        );
        assert!(["/data", "/srv/ap", "/srv/app/med", "/srv/app/static"].map(takes) == [false; 4]);
    }
}
