//! An instruction of a Dockerfile that copies from its context: what it reads, and whether it does no
//! more than put files where muletrain puts them.

use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use parse_dockerfile::{Flag, Source, UnescapedString};

use super::scope::{Scope, parts};
use crate::pure::tree::{Manifest, Node};

/// Options that only say who may do what with a copy.
const HARMLESS: [&str; 3] = ["chown", "chmod", "link"];

/// Characters that make a pattern of a path.
const PATTERN: [char; 4] = ['*', '?', '[', '\\'];

/// An instruction that copies from the context.
pub(super) struct Copy {
    /// Where it stands, to the end of its last line.
    pub lines: Range<usize>,
    /// Whether it unpacks archives.
    unpacks: bool,
    /// What it copies, with variables replaced; none where that cannot be told.
    sources: Option<Vec<String>>,
    /// Where it copies to.
    to: Option<String>,
    /// Whether that is a folder by the way it is written.
    is_folder: bool,
    /// Whether it does what all do, and stands alone in its lines.
    is_plain: bool,
}

/// What is read of a context.
#[derive(Debug, Clone)]
pub(super) enum Read {
    /// A file, or all of a folder.
    Path(PathBuf),
    /// What begins with this text.
    Start(String),
}

/// The stage or image that a copy is from, where that is not the context.
pub(super) fn origin<'a>(options: &'a [Flag<'_>]) -> Option<&'a str> {
    let from = options.iter().find(|option| option.name.value == "from")?;
    Some(from.value.as_ref().map_or("", |value| &value.value))
}

impl Copy {
    /// The copy whose instruction begins at `start` of a text; none where it brings text of its own.
    pub(super) fn new(
        text: &str,
        start: usize,
        options: &[Flag<'_>],
        sources: &[Source<'_>],
        to: &UnescapedString<'_>,
        scope: &Scope,
    ) -> Option<Self> {
        let rest = text.get(to.span.end..)?;
        let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let is_alone = rest.get(..end)?.chars().all(|c| c.is_whitespace() || "\"]".contains(c));
        let is_known = |option: &Flag<'_>| HARMLESS.contains(&&*option.name.value);
        let paths = sources.iter().map(|source| match source {
            Source::Path(path) => Some(&path.value),
            _ => None,
        });
        let paths = paths.collect::<Option<Vec<_>>>()?;
        let written = scope.expand(&to.value);
        Some(Self {
            lines: start..to.span.end + end,
            unpacks: false,
            sources: paths.into_iter().map(|path| scope.expand(path)).collect(),
            to: scope.path(&to.value),
            is_folder: written
                .is_some_and(|it| it == "." || it.ends_with('/') || it.ends_with("/.")),
            is_plain: is_alone && options.iter().all(is_known),
        })
    }

    /// One that unpacks archives, as `ADD` does.
    pub(super) fn unpacking(self) -> Self {
        Self { unpacks: true, ..self }
    }

    /// One whose sources are not of the context.
    pub(super) fn of_elsewhere(self) -> Self {
        Self { sources: None, ..self }
    }

    /// What it reads; none where that cannot be told.
    pub(super) fn reads(&self) -> Option<Vec<Read>> {
        let read = |source: &String| {
            let read = match source.split_once(PATTERN) {
                Some((start, _)) => Read::Start(parts(start).map(|it| cut(&it, start))?),
                None => Read::Path(parts(source)?.into()),
            };
            Some(read)
        };
        self.sources.as_ref()?.iter().map(read).collect()
    }

    /// Whether it reads all of the context, for sure.
    pub(super) fn reads_all(&self) -> bool {
        let is_all = |source: &String| parts(source).is_some_and(|path| path.is_empty());
        self.sources.as_ref().is_some_and(|sources| sources.iter().any(is_all))
    }

    /// Whether each file it copies is in the context and goes to the place that it has below the
    /// root in any case.
    pub(super) fn places(&self, context: &Manifest, root: &str) -> bool {
        let (Some(sources), Some(to)) = (&self.sources, &self.to) else { return false };
        let into = self.is_folder || sources.len() > 1;
        let goes = |source: &String| {
            let Some(path) = parts(source).filter(|path| !path.contains(PATTERN)) else {
                return false;
            };
            let below = |path: &str| {
                if path.is_empty() { root.to_owned() } else { format!("{root}/{path}") }
            };
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            match (context.has_file(&path), into) {
                (true, true) => !self.unpacks && *to == below(folder),
                (true, false) => !self.unpacks && *to == below(&path),
                (false, _) => is_folder(context, &path) && *to == below(&path),
            }
        };
        self.is_plain && sources.iter().all(goes)
    }

    /// Whether where its files go may depend on the project's being there: on a link of the project,
    /// or on a folder of it that a single file would take the name of.
    pub(super) fn depends_on(&self, context: &Manifest, root: &str) -> bool {
        let Some(to) = &self.to else { return true };
        let Ok(place) = Path::new(to).strip_prefix(root) else { return false };
        let is_link = |path: &Path| matches!(context.0.get(path), Some(Node::Link { .. }));
        let is_folder_for_sure = |source: &String| {
            let path = parts(source).filter(|path| !path.contains(PATTERN));
            path.is_some_and(|path| is_folder(context, &path))
        };
        let are_folders =
            self.sources.as_ref().is_some_and(|sources| sources.iter().all(is_folder_for_sure));
        let takes_name =
            || place.to_str().is_none_or(|place| is_folder(context, place)) && !are_folders;
        place.ancestors().any(is_link) || (!self.is_folder && takes_name())
    }
}

impl Read {
    /// Whether it takes a file.
    pub(super) fn takes(&self, path: &Path) -> bool {
        match self {
            Self::Path(source) => path.starts_with(source),
            Self::Start(start) => path.as_os_str().as_bytes().starts_with(start.as_bytes()),
        }
    }

    /// Whether it names something below a path.
    pub(super) fn is_below(&self, path: &Path) -> bool {
        match self {
            Self::Path(source) => source.starts_with(path),
            Self::Start(start) => Path::new(start).starts_with(path),
        }
    }
}

/// The start of a pattern as [`parts`] writes it, with the slash that it may end in.
fn cut(clean: &str, start: &str) -> String {
    match clean.is_empty() || !start.ends_with('/') {
        true => clean.to_owned(),
        false => format!("{clean}/"),
    }
}

fn is_folder(context: &Manifest, path: &str) -> bool {
    let inside = |it: &PathBuf| it.starts_with(path) && it != Path::new(path);
    path.is_empty() || context.0.keys().any(inside)
}
