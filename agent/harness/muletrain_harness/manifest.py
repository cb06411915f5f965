"""Manifests: what databases were made from, in a form that says whether all of it is still so.

Paths are relative to the root where they are inside it, so that a manifest holds wherever the root is.
"""

import hashlib
import importlib.util
import os
import stat
import sys
import tempfile

from .trace import module_files

VERSION = 1
CACHE = "__pycache__"


def make(trace, root):
    """Of everything that `trace` saw."""
    tree, counts = Tree(root), Counting(root)
    written = {tree.key(path) for path in trace.written}
    files = {_source(path) for path in (*trace.read, *module_files())}
    folders = {os.path.normpath(path) for path in trace.listed} | {tree.root}
    file_keys = {tree.key(path) for path in files if counts(path)} - written
    # Files that are only asked for, as by `os.path.exists`, lie beside others; nothing tells of them.
    beside = {os.path.dirname(key) for key in file_keys if not os.path.isabs(key)}
    folder_keys = ({tree.key(path) for path in folders if counts(path)} | beside) - written
    ours = sorted(path for path in written if os.path.dirname(path) in folder_keys)
    return {
        "version": VERSION,
        "files": {key: tree.file(key) for key in sorted(file_keys - folder_keys)},
        "folders": {key: tree.folder(key, ours) for key in sorted(folder_keys)},
        "written": ours,
    }


def first_that_holds(root, candidates):
    """The id of a candidate, or None."""
    tree = Tree(root)
    return next((one["id"] for one in candidates if _holds(one["manifest"], tree)), None)


def _holds(manifest, tree):
    try:
        return (
            manifest["version"] == VERSION
            and all(tree.folder(key, manifest["written"]) == was for key, was in manifest["folders"].items())
            and all(tree.file(key) == was for key, was in manifest["files"].items())
        )
    except (TypeError, KeyError, AttributeError, ValueError):
        return False  # It is not one of ours.


class Tree:
    """What is there, each file and folder looked at once. Both are None where there is no such thing."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self._inside = sorted({self.root, os.path.realpath(root)}, key=len, reverse=True)
        self._files = {}
        self._names = {}

    def key(self, path):
        path = os.path.normpath(path)
        for root in self._inside:
            if path == root:
                return ""
            if _is_below(path, root):
                return os.path.relpath(path, root).replace(os.sep, "/")
        return path

    def file(self, key):
        """A digest of the content inside the root; size and time of modification outside."""
        if key not in self._files:
            self._files[key] = self._look_at(key)
        return self._files[key]

    def folder(self, key, written):
        """A digest of its names, without those that whoever made the manifest wrote there itself."""
        if key not in self._names:
            self._names[key] = self._list(key)
        names = self._names[key]
        if names is None:
            return None
        ours = {os.path.basename(path) for path in written if os.path.dirname(path) == key}
        return _digest("\0".join(sorted(names - ours)).encode("utf-8", "surrogateescape"))

    def _look_at(self, key):
        path = os.path.join(self.root, key)
        try:
            status = os.stat(path)
            if not stat.S_ISREG(status.st_mode):
                return None
            if os.path.isabs(key):
                return "%d %d" % (status.st_size, status.st_mtime_ns)
            with open(path, "rb") as file:
                return _digest(file.read())
        except OSError:
            return None

    def _list(self, key):
        try:
            return set(os.listdir(os.path.join(self.root, key))) - {CACHE}
        except OSError:
            return None


class Counting:
    """Whether a path has a say: the innermost of the folders named here decides."""

    def __init__(self, root):
        passing = ("/proc", "/sys", "/dev", tempfile.gettempdir(), os.path.expanduser("~"))
        lasting = (root, sys.prefix, sys.base_prefix, *filter(os.path.isabs, sys.path))
        self._folders = {}
        for folders, counts in ((passing, False), (lasting, True)):
            for folder in folders:
                for name in (os.path.abspath(folder), os.path.realpath(folder)):
                    self._folders[name] = counts
        self._folders["/"] = True
        self._by_length = sorted(self._folders, key=len, reverse=True)

    def __call__(self, path):
        path = os.path.normpath(path)
        inside = (folder for folder in self._by_length if path == folder or _is_below(path, folder))
        return os.path.isabs(path) and self._folders[next(inside, "/")]


def _is_below(path, folder):
    return path.startswith(os.path.join(folder, ""))


def _source(path):
    """Of a module's cached bytecode, the file it was compiled from."""
    path = os.path.normpath(path)
    if path.endswith(".pyc"):
        try:
            return importlib.util.source_from_cache(path)
        except (ValueError, NotImplementedError):
            pass  # A module that comes without a source.
    return path


def _digest(data):
    return hashlib.sha256(data).hexdigest()[:32]
