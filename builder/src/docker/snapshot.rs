//! The snapshot image of a tree: an anchor and one layer with what differs from it.

use bollard::query_parameters::TagImageOptionsBuilder;
use muletrain_proto::snapshot::{self, Content};

use super::anchor::{self, Anchor};
use super::base::Base;
use super::delivery::deliver;
use super::engine::{Engine, Image, MEDIUM, within};
use super::prepare::Steps;
use super::{CONTENT, Error, NOTE, SHORT_KEY, SNAPSHOTS};
use crate::build::{Frozen, Place};
use crate::pure::digest::Digest;

/// A snapshot image.
#[derive(Debug)]
pub(super) struct Made {
    /// Its id.
    pub image: String,
    /// What is to be told of its base, each time it is used.
    pub note: String,
}

impl Made {
    /// Where the code is.
    pub(super) fn content(&self, base: &Base) -> Content {
        Content::Docker {
            image: self.image.clone(),
            platform: base.image.platform(),
            root: base.root.clone(),
            user: base.ids(),
            base: base.shared.clone().map(|reference| snapshot::Base {
                image: base.image.id.clone(),
                reference,
                layers: base.image.layers.len(),
            }),
        }
    }
}

/// Finds the image of a tree on a base, or makes it.
pub(super) async fn find_or_make(
    engine: &Engine,
    frozen: &Frozen,
    base: &Base,
    place: &Place<'_>,
) -> Result<Made, Error> {
    let tree = Digest::new("muletrain content 2")
        .list(base.identity())
        .field(frozen.source.manifest.digest());
    let tree = tree.finish();
    let made = match frozen.config.image.prepare.is_empty() {
        true => of_tree(engine, frozen, base, &tree, place).await?,
        false => prepared(engine, frozen, base, &tree, place).await?,
    };
    if !made.note.is_empty() {
        place.progress.note(made.note.clone());
    }
    Ok(made)
}

/// The image of content that the engine has.
async fn find(engine: &Engine, content: &str) -> Result<Option<Made>, Error> {
    let name = format!("{SNAPSHOTS}:{}", &content[..SHORT_KEY]);
    let found = engine.image(&name).await?.filter(|image| image.label(CONTENT) == content);
    Ok(found.map(|image| Made { note: image.label(NOTE).to_owned(), image: image.id }))
}

/// The image of the tree as it is.
async fn of_tree(
    engine: &Engine,
    frozen: &Frozen,
    base: &Base,
    content: &str,
    place: &Place<'_>,
) -> Result<Made, Error> {
    if let Some(made) = find(engine, content).await? {
        return Ok(made);
    }
    if let Some((anchor, delta)) = Anchor::nearest(engine, frozen, base, place).await? {
        let note = anchor.image.label(NOTE).to_owned();
        if delta.is_empty() {
            tag(engine, &anchor.image, content).await?;
            return Ok(Made { image: anchor.image.id, note });
        }
        if let Some(image) = deliver(engine, frozen, base, &anchor, delta, content, place).await? {
            return Ok(Made { image, note });
        }
    }
    anchor::make(engine, frozen, base, content, place).await
}

/// The image of the tree after the project's own steps.
async fn prepared(
    engine: &Engine,
    frozen: &Frozen,
    base: &Base,
    tree: &str,
    place: &Place<'_>,
) -> Result<Made, Error> {
    let steps = Steps::new(frozen, base, place)?;
    let content = steps.content(tree);
    if let Some(made) = find(engine, &content).await? {
        return Ok(made);
    }
    let Made { image, note } = of_tree(engine, frozen, base, tree, place).await?;
    let image = engine.image(&image).await?.ok_or(Error::Lost { image })?;
    Ok(Made { image: steps.make(engine, &image, &content).await?, note })
}

/// Gives an image the name of what it holds.
async fn tag(engine: &Engine, image: &Image, content: &str) -> Result<(), Error> {
    let options = TagImageOptionsBuilder::default().repo(SNAPSHOTS).tag(&content[..SHORT_KEY]);
    let call = engine.docker.tag_image(&image.id, Some(options.build()));
    within("name an image", MEDIUM, call).await
}
