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

# Variables that differ from pod to pod, and PATH: what is found there counts when it is used.
OF_THE_POD = {"HOME", "HOSTNAME", "LOGNAME", "MULETRAIN_POD", "OLDPWD", "PATH", "PWD", "SHLVL", "TMPDIR", "USER", "_"}

# The time of files in images whose own was not kept; so it says nothing of their content.
NO_TIME = 946684800


def surroundings(environment):
    """A digest of the variables that a pod is started with, by its image or its project."""
    names = sorted(set(environment) - OF_THE_POD)
    text = "\0".join("%s=%s" % (name, environment[name]) for name in names)
    return _digest(text.encode("utf-8", "surrogateescape"))


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
        "environment": trace.surroundings,
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
            and manifest["environment"] == surroundings(os.environ)
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
        prefixes = (sys.prefix, sys.base_prefix)
        self._prefixes = {folder for prefix in prefixes for folder in (prefix, os.path.realpath(prefix))}
        self._files = {}
        self._names = {}

    def key(self, path):
        path = os.path.normpath(path)
        key = self._inside_key(path)
        if key is None and not self._is_installed(path):
            key = self._inside_key(os.path.realpath(path))
        return path if key is None else key

    def file(self, key):
        """A digest of the content; of what is installed, size and time of modification, if it has any."""
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

    def _inside_key(self, path):
        for root in self._inside:
            if path == root:
                return ""
            if _is_below(path, root):
                return os.path.relpath(path, root).replace(os.sep, "/")
        return None

    def _is_installed(self, path):
        return any(_is_below(path, prefix) for prefix in self._prefixes)

    def _look_at(self, key):
        path = os.path.join(self.root, key)
        try:
            status = os.stat(path)
            if not stat.S_ISREG(status.st_mode):
                return None
            if os.path.isabs(key) and self._is_installed(key) and status.st_mtime != NO_TIME:
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
        """A link in a passing folder may lead to what lasts."""
        return self._counts(os.path.normpath(path)) or self._counts(os.path.realpath(path))

    def _counts(self, path):
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
