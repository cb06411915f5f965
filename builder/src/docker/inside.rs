//! What is found out about an image, and compiled in it, by its own Python in a container of it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::base::Wanted;
use super::container::{Command, Container};
use super::{Error, root};
use crate::pure::python_version;
use crate::pure::tree::{Manifest, Node};
use crate::source::archive::Owner;

/// Lists the folders above a root and all below it, as [`crate::pure::holding`] reads them. What
/// is in folders that are large and no part of a project is not listed.
const LIST: &str = "
import os, sys
CLOSED = b'site-packages', b'node_modules', b'__pycache__'
out = sys.stdout.buffer
root = os.fsencode(sys.argv[1])
def record(*fields):
    for field in fields:
        out.write(field if isinstance(field, bytes) else str(field).encode())
        out.write(b'\\0')
record('muletrain anchor 2')
above = os.path.dirname(root)
folders = []
while above != b'/':
    folders.insert(0, above)
    above = os.path.dirname(above)
for folder in folders:
    if os.path.isdir(folder):
        stat = os.stat(folder)
        record('d', folder[1:], stat.st_mode & 0o7777, stat.st_uid, stat.st_gid)
    else:
        record('d', folder[1:], 0o755, 0, 0)
def fail(error):
    raise error
for folder, names, files in os.walk(root, onerror=fail) if os.path.isdir(root) else ():
    for name in names + files:
        path = os.path.join(folder, name)
        closed = name in CLOSED and not os.path.islink(path) and os.path.isdir(path)
        record('c' if closed else 'b', os.path.relpath(path, root), '', '', '')
    names[:] = [name for name in names if name not in CLOSED]
";

/// Says what folder a path is without its links, as far as there is one.
const FOLLOW: &str = r#"
folder=$1 rest=
until cd -P -- "$folder" 2>/dev/null; do
    rest="/${folder##*/}$rest" folder="${folder%/*}"
    folder="${folder:-/}"
done
printf %s "$(pwd -P)$rest"
"#;

/// Says the same of a root and of volumes, as [`root::Place`] reads it.
const REAL: &str = "
import json, os, sys
root, *volumes = map(os.path.realpath, sys.argv[1:])
print(json.dumps(dict(root=root, volumes=volumes)))
";

/// Compiles folders, or without any, all that Python imports from. What does not compile is no
/// error: tests that import it will say so.
const COMPILE: &str = "
import compileall, os, re, sys
from py_compile import PycInvalidationMode as Mode
skip = re.compile(r'/(node_modules|\\.git)(/|$)')
mode = Mode.CHECKED_HASH if sys.argv[1:] else Mode.TIMESTAMP
for folder in sys.argv[1:] or sys.path:
    if os.path.isdir(folder):
        arguments = dict(quiet=2, rx=skip, invalidation_mode=mode)
        try:
            compileall.compile_dir(folder, workers=0, **arguments)
        except (ImportError, NotImplementedError, OSError):
            compileall.compile_dir(folder, **arguments)
";

/// Says which files below a root are other than is said of them; of files that are not there,
/// nothing.
const ALTERED: &str = r"
import hashlib, os, sys
root, size = os.fsencode(sys.argv[1]), int(sys.argv[2])
fields = sys.stdin.buffer.read(size).split(b'\0')[:-1]
def found(path):
    if os.path.islink(path):
        return b'l', os.readlink(path)
    if not os.path.isfile(path):
        return b'd', b''
    with open(path, 'rb') as file:
        digest = hashlib.sha256(file.read()).hexdigest().encode()
    return (b'x' if os.stat(path).st_mode & 0o100 else b'f'), digest
for path, kind, said in zip(*[iter(fields)] * 3):
    place = os.path.join(root, path)
    if os.path.lexists(place) and found(place) != (kind, said):
        sys.stdout.buffer.write(path + b'\0')
";

/// The ids of the user that tests run as.
pub(super) async fn owner(container: &Container<'_>, wanted: &Wanted<'_>) -> Result<Owner, Error> {
    if let Some((user, group)) = wanted.user.split_once(':')
        && let (Ok(user), Ok(group)) = (user.parse(), group.parse())
    {
        return Ok(Owner { user, group });
    }
    let words = vec!["/bin/sh", "-c", "id -u && id -g"];
    let command = Command { words, user: wanted.user, folder: "/", ..Command::default() };
    let ended = container.run(command).await?;
    let said = String::from_utf8_lossy(&ended.output).trim().to_owned();
    let ids: Vec<u64> = said.lines().filter_map(|line| line.trim().parse().ok()).collect();
    match ids[..] {
        [user, group] if ended.status == 0 => Ok(Owner { user, group }),
        _ => {
            let (image, user) = (wanted.image.name.clone(), wanted.user.to_owned());
            Err(Error::NoUser { image, user, said })
        }
    }
}

/// The first Python of the image that can run the tests as the user `user`.
pub(super) async fn python(
    container: &Container<'_>,
    wanted: &Wanted<'_>,
    user: &str,
) -> Result<String, Error> {
    let named = wanted.python.filter(|python| python_version::pinned(python).is_none());
    let candidates = named.map_or(vec!["python", "python3"], |python| vec![python]);
    let import = format!("import {}", wanted.imports);
    let mut said = Vec::new();
    for candidate in candidates {
        let words = vec![candidate, "-c", &import];
        let command = Command { words, user, folder: "/", ..Command::default() };
        let ended = container.run(command).await?;
        if ended.status == 0 {
            return Ok(candidate.to_owned());
        }
        let output = String::from_utf8_lossy(&ended.output);
        let last = output.trim().lines().last().unwrap_or("nothing").trim();
        said.push(format!("{candidate}: {last}"));
    }
    let (image, imports) = (wanted.image.name.clone(), wanted.imports.clone());
    Err(Error::Unable { image, imports, said: said.join("; ") })
}

/// A path without its links, before there need be a Python. Without a shell no step will run, which
/// tells more than this could.
pub(super) async fn without_links(container: &Container<'_>, path: &str) -> Result<String, Error> {
    let words = vec!["/bin/sh", "-c", FOLLOW, "sh", path];
    let command = Command { words, user: "0:0", folder: "/", ..Command::default() };
    let ended = container.run(command).await?;
    match String::from_utf8(ended.answer) {
        Ok(real) if ended.status == 0 => Ok(root::normal(&real)),
        _ => Ok(path.to_owned()),
    }
}

/// Where the project goes and the volumes without links, written as JSON.
pub(super) async fn real(
    container: &Container<'_>,
    python: &str,
    said: &root::Place,
) -> Result<String, Error> {
    let mut words = vec![python, "-I", "-W", "ignore", "-c", REAL, &said.root];
    words.extend(said.volumes.iter().map(String::as_str));
    let command = Command { words, user: "0:0", folder: "/", ..Command::default() };
    let ended = container.run(command).await?;
    let real = String::from_utf8_lossy(&ended.answer).trim().to_owned();
    match serde_json::from_str::<root::Place>(&real) {
        Ok(_) if ended.status == 0 => Ok(real),
        _ => Err(Error::Unlisted { image: container.image().to_owned() }),
    }
}

/// Compiles all that Python imports from without the project.
///
/// Timestamps, as `pip` uses them: what it has compiled is taken as it is, and layers keep the
/// times of files.
pub(super) async fn compile_installed(
    container: &Container<'_>,
    python: &str,
) -> Result<(), Error> {
    compile(container, python, "0:0", &[]).await
}

/// Compiles the project, so that each file says of which text it was made: a layer above that
/// brings another text makes it void, whatever the times of files are.
pub(super) async fn compile_project(
    container: &Container<'_>,
    python: &str,
    root: &str,
    user: &str,
) -> Result<(), Error> {
    compile(container, python, user, &[root]).await
}

async fn compile(
    container: &Container<'_>,
    python: &str,
    user: &str,
    folders: &[&str],
) -> Result<(), Error> {
    let words = [&[python, "-I", "-W", "ignore", "-c", COMPILE], folders].concat();
    let ended = container.run(Command { words, user, folder: "/", ..Command::default() }).await?;
    if ended.status != 0 {
        let said = String::from_utf8_lossy(&ended.output);
        tracing::warn!(status = ended.status, %said, "not everything is compiled");
    }
    Ok(())
}

/// Which of some files the image has in its root as others: their content, whether they may be
/// executed, or what they are.
pub(super) async fn altered(
    container: &Container<'_>,
    python: &str,
    root: &str,
    files: &Manifest,
) -> Result<Vec<PathBuf>, Error> {
    if files.0.is_empty() {
        return Ok(Vec::new());
    }
    let record = |(path, node): (&PathBuf, &Node)| {
        let (kind, said) = match node {
            Node::File { executable: true, digest, .. } => (b"x", digest.as_bytes()),
            Node::File { digest, .. } => (b"f", digest.as_bytes()),
            Node::Link { target } => (b"l", target.as_os_str().as_bytes()),
        };
        [path.as_os_str().as_bytes(), kind, said, b""].join(&0)
    };
    let input = files.0.iter().map(record).collect::<Vec<_>>().concat();
    let size = input.len().to_string();
    let words = vec![python, "-I", "-W", "ignore", "-c", ALTERED, root, &size];
    let ended = container
        .run(Command { words, user: "0:0", folder: "/", input, ..Command::default() })
        .await?;
    let paths = ended.answer.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    match ended.status {
        0 => Ok(paths.map(|path| OsStr::from_bytes(path).into()).collect()),
        _ => Err(Error::Unlisted { image: container.image().to_owned() }),
    }
}

/// What the image has above its root and below it.
pub(super) async fn list(
    container: &Container<'_>,
    python: &str,
    root: &str,
) -> Result<Vec<u8>, Error> {
    let words = vec![python, "-I", "-W", "ignore", "-c", LIST, root];
    let command = Command { words, user: "0:0", folder: "/", ..Command::default() };
    let ended = container.run(command).await?;
    match ended.status {
        0 => Ok(ended.answer),
        _ => Err(Error::Unlisted { image: container.image().to_owned() }),
    }
}
