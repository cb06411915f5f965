//! What was changed in a container, as a layer that depends on nothing else.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Error;
use super::container::{Command, Container, Ended};
use crate::source::archive::TIME;

/// Says what is in folders, whose paths it is given: letters, paths and NUL bytes as in changes.
const NAMES: &str = r"
import os, sys
for path in sys.stdin.buffer.read(int(sys.argv[1])).split(b'\0')[:-1]:
    for name in os.listdir(path) if os.path.isdir(path) and not os.path.islink(path) else ():
        sys.stdout.buffer.write(b'B' + os.path.join(path, name) + b'\0')
";

/// Tells what is in each of the folders whose paths it is given by a digest of names, sizes and times.
const CONTENTS: &str = r"
import hashlib, os, sys
for folder in sys.stdin.buffer.read(int(sys.argv[1])).split(b'\0')[:-1]:
    digest = hashlib.sha256()
    for path, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(folders) + sorted(files):
            found = os.lstat(os.path.join(path, name))
            entry = os.path.join(path, name), found.st_mode, found.st_size, found.st_mtime_ns
            digest.update(repr(entry).encode())
    print(digest.hexdigest())
";

/// Writes a layer of changes, each of which is a letter for its kind and a path, ended by a NUL byte;
/// some are only what was there before.
/// Bytecode stays out: it would be taken for that of other texts of the same length. With more than
/// the limit of bytes, it ends in [`TOO_MUCH`].
const PACK: &str = r"
import os, stat, sys, tarfile
size, limit, time = map(int, sys.argv[1:])
names = sys.stdin.buffer.read(size).split(b'\0')[:-1]
changes = [(name[:1], name[1:]) for name in names if b'__pycache__' not in name.split(b'/')]
before = [path for kind, path in changes if kind == b'B']
changes = [(kind, path) for kind, path in changes if kind != b'B']
compiled = {os.path.dirname(name[1:]) for name in names
            if name.endswith(b'/__pycache__') and not name.startswith(b'B')}
above = {os.path.dirname(path) for kind, path in changes}
chosen, hidden = {}, set()
def take(path):
    if b'__pycache__' in path.split(b'/'):
        return
    chosen[path] = os.lstat(path)
    if stat.S_ISDIR(chosen[path].st_mode):
        for name in os.listdir(path):
            take(os.path.join(path, name))
def shown(path):
    return os.path.isdir(path) and not os.path.islink(path)
for kind, path in changes:
    there = os.path.lexists(path)
    if kind == b'D':
        hidden.add((path, there))
    if kind != b'M' and there:
        take(path)
    elif there and not (path in compiled and path not in above):
        chosen[path] = os.lstat(path)
    elif kind != b'D' and not there:
        sys.exit('a name that is no text: ' + repr(path))
hidden |= {(path, False) for path in before if not os.path.lexists(path)}
hidden = {(path, there) for path, there in hidden if shown(os.path.dirname(path))}
for path in [*chosen, *(path for path, there in hidden)]:
    while path != b'/':
        path = os.path.dirname(path)
        if path != b'/':
            chosen.setdefault(path, os.lstat(path))
if sum(found.st_size for found in chosen.values() if stat.S_ISREG(found.st_mode)) > limit:
    sys.exit(3)
marks = set()
for path, there in hidden:
    if not there:
        marks.add(os.path.join(os.path.dirname(path), b'.wh.' + os.path.basename(path)))
    elif stat.S_ISDIR(chosen[path].st_mode):
        marks.add(os.path.join(path, b'.wh..wh..opq'))
out = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.GNU_FORMAT,
                   encoding='utf-8', errors='surrogateescape')
for path in sorted([*chosen, *marks]):
    entry = tarfile.TarInfo(path[1:].decode('utf-8', 'surrogateescape'))
    entry.mtime = time
    if path in marks:
        entry.mode = 0o600
        out.addfile(entry)
        continue
    found = chosen[path]
    entry.mode, entry.uid, entry.gid = stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid
    if stat.S_ISDIR(found.st_mode):
        entry.type = tarfile.DIRTYPE
        out.addfile(entry)
    elif stat.S_ISLNK(found.st_mode):
        entry.type = tarfile.SYMTYPE
        entry.linkname = os.readlink(path).decode('utf-8', 'surrogateescape')
        out.addfile(entry)
    elif stat.S_ISREG(found.st_mode):
        entry.size = found.st_size
        with open(path, 'rb') as file:
            out.addfile(entry, file)
out.close()
";

/// What the name of a file begins with that hides one of a lower layer.
const WHITEOUT: &[u8] = b".wh.";

/// The name of a file that hides all that lower layers have in its folder.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// How [`PACK`] ends where there is more than the limit.
const TOO_MUCH: i64 = 3;

/// The layer of what was changed in a container since the image was as in another one, whose Python
/// this is; none where it has more than a limit of bytes, or something that only the engine can tell.
pub(super) async fn layer(
    container: &Container<'_>,
    before: &Container<'_>,
    python: &str,
    limit: u64,
) -> Result<Option<Vec<u8>>, Error> {
    let changes = container.changes().await?;
    // Not every engine tells what was in a folder that made way for another one.
    let paths: String = changes.iter().map(|(_, path)| format!("{path}\0")).collect();
    let listed = script(before, python, NAMES, &[], paths.into_bytes()).await?;
    let changes: String = changes.iter().map(|(kind, path)| format!("{kind}{path}\0")).collect();
    let input = [changes.into_bytes(), listed.answer].concat();
    let ended = script(container, python, PACK, &[limit, TIME], input).await?;
    let said = String::from_utf8_lossy(&ended.output);
    match (listed.status, ended.status) {
        (0, 0) => return Ok(Some(ended.answer)),
        (0, TOO_MUCH) => tracing::debug!("steps left more than can be kept"),
        status => tracing::warn!(?status, %said, "the engine keeps what steps left"),
    }
    Ok(None)
}

/// The first of some volumes in which a container has something else than another one of its image,
/// whose Python this is. No image keeps that, and no list of changes tells it.
pub(super) async fn in_volume<'v>(
    container: &Container<'_>,
    before: &Container<'_>,
    python: &str,
    volumes: &'v [String],
) -> Result<Option<&'v String>, Error> {
    let paths: Vec<u8> =
        volumes.iter().flat_map(|volume| [volume.as_bytes(), b"\0"].concat()).collect();
    let now = script(container, python, CONTENTS, &[], paths.clone()).await?;
    let then = script(before, python, CONTENTS, &[], paths).await?;
    if (now.status, then.status) != (0, 0) {
        return Err(Error::Unlisted { image: container.image().to_owned() });
    }
    let lines = |ended: &Ended| -> Vec<Vec<u8>> {
        ended.answer.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    };
    let (now, then) = (lines(&now), lines(&then));
    Ok(volumes
        .iter()
        .zip(now.iter().zip(&then))
        .find(|(_, (now, then))| now != then)
        .map(|(volume, _)| volume))
}

async fn script(
    container: &Container<'_>,
    python: &str,
    script: &str,
    numbers: &[u64],
    input: Vec<u8>,
) -> Result<Ended, Error> {
    let numbers: Vec<String> =
        std::iter::once(&(input.len() as u64)).chain(numbers).map(u64::to_string).collect();
    let mut words = vec![python, "-I", "-W", "ignore", "-c", script];
    words.extend(numbers.iter().map(String::as_str));
    container.run(Command { words, user: "0:0", folder: "/", input, ..Command::default() }).await
}

/// What a layer brings or hides, but for folders that it only names.
///
/// # Errors
/// When it is no archive.
pub(super) fn touched(layer: &[u8]) -> io::Result<BTreeSet<PathBuf>> {
    let mut archive = tar::Archive::new(layer);
    let mut touched = BTreeSet::new();
    for entry in archive.entries()? {
        let entry = entry?;
        let path = entry.path()?.into_owned();
        let name = path.file_name().map_or(&b""[..], OsStr::as_bytes);
        let above = || path.parent().unwrap_or(Path::new(""));
        if name == OPAQUE {
            touched.insert(above().to_owned());
        } else if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            touched.insert(above().join(OsStr::from_bytes(hidden)));
        } else if !entry.header().entry_type().is_dir() {
            touched.insert(path);
        }
    }
    Ok(touched)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt;
    use std::process::{Command as Process, Stdio};

    use super::*;

    #[test]
    fn a_layer_brings_what_is_there_and_hides_what_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for file in ["new/b", "again/c", "added/d/e", "compiled/__pycache__/f.pyc", "mode/g"] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), "text").unwrap();
        }
        fs::set_permissions(root.join("mode"), Permissions::from_mode(0o700)).unwrap();
        let changes = [
            ("M", "new"),
            ("A", "new/b"),
            ("B", "new/a"),
            ("D", "gone"),
            ("B", "gone/x"),
            ("D", "again"),
            ("A", "added"),
            ("A", "added/d"),
            ("M", "compiled"),
            ("A", "compiled/__pycache__"),
            ("M", "mode"),
            ("B", "mode/__pycache__"),
            ("B", "mode/g"),
        ];
        let changes =
            changes.map(|(kind, path)| format!("{kind}{}\0", root.join(path).display())).concat();
        let words = [PACK, &changes.len().to_string(), "1000", "946684800"];
        let mut python = Process::new("python3")
            .args(["-I", "-c"])
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        python.stdin.take().unwrap().write_all(changes.as_bytes()).unwrap();
        let output = python.wait_with_output().unwrap();
        assert!(output.status.success());

        let place = root.strip_prefix("/").unwrap();
        let mut archive = tar::Archive::new(&output.stdout[..]);
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let (path, mode) = (entry.path().unwrap(), entry.header().mode().unwrap());
            let mode = if mode == 0o700 { " private" } else { "" };
            path.strip_prefix(place).ok().map(|path| format!("{}{mode}", path.display()))
        });
        let entries: Vec<String> = entries.flatten().filter(|line| !line.is_empty()).collect();
        insta::assert_snapshot!(entries.join("\n"), @r"
        .wh.gone
        added
        added/d
        added/d/e
        again
        again/.wh..wh..opq
        again/c
        mode private
        new
        new/.wh.a
        new/b
        ");
        let touched = touched(&output.stdout).unwrap();
        let touched = touched.iter().map(|path| path.strip_prefix(place).unwrap().display());
        let touched: Vec<String> = touched.map(|path| path.to_string()).collect();
        assert_eq!(touched.join(" "), "added/d/e again again/c gone new/a new/b");
    }
}
