"""From files and dotted names to apps."""

import os
import sys

OTHER = "(other)"


class Apps:
    """The project's apps by path; the longest path that holds a file owns it."""

    def __init__(self, root, apps, other):
        self._root = os.path.realpath(root)
        self._other = other
        folders = [(os.path.normpath(os.path.join(self._root, app["path"])), app["label"]) for app in apps]
        self._folders = sorted(folders, key=lambda folder: len(folder[0]), reverse=True)

    def app_of(self, path):
        """Of a file; an empty path is that of nothing on disk."""
        if not path:
            return self._other
        path = os.path.realpath(path)
        for folder, label in self._folders:
            if path == folder or path.startswith(os.path.join(folder, "")):
                return label
        return self._other

    def relative(self, path):
        """As the protocol writes it: relative to the root where it is inside."""
        if not path:
            return path
        path = os.path.realpath(path)
        inside = path.startswith(os.path.join(self._root, ""))
        return os.path.relpath(path, self._root).replace(os.sep, "/") if inside else path


def locate(dotted):
    """The longest prefix of a dotted name that is a module on disk, and its file.

    Looks without importing: the modules asked about are those that cannot be imported.
    """
    best = ("", None)
    for base in [os.getcwd(), *sys.path]:
        found = _locate_under(base, dotted.split("."))
        best = max(best, found, key=lambda place: len(place[0]))
    return best


def _locate_under(base, names):
    path = base
    best = ("", None)
    for index, name in enumerate(names, 1):
        path = os.path.join(path, name)
        if os.path.isfile(path + ".py"):
            return ".".join(names[:index]), path + ".py"
        if not os.path.isdir(path):
            break
        best = (".".join(names[:index]), os.path.join(path, "__init__.py"))
    return best
