"""Files to take out of the pod: which there are by glob, read in bounded pieces."""

import base64
import os
import re
import stat

PIECE = 192 * 1024  # A multiple of 3, so that pieces of base64 follow each other.
FILES = 1000


class Collector:
    """What it has given already, and what the pod began with, is not given again."""

    def __init__(self, since):
        self._since = since
        self._given = set()

    def pieces(self, files, kind, limit, total_limit):
        """Events `artifact` of files as `find` gives them."""
        files = [file for file in files if self._is_new(file)]
        left = total_limit
        for number, (name, path) in enumerate(files):
            head = {"type": "artifact", "name": name, "kind": kind, "data": "", "last": True}
            if number == FILES:
                reason = "%d files are left out, this is the first: a pod may give %d" % (len(files) - FILES, FILES)
                yield dict(head, size=0, lost=reason)
                return
            try:
                for event in _read(head, path, limit, left):
                    left -= len(event["data"]) * 3 // 4
                    yield event
            except OSError as error:
                yield dict(head, size=0, lost=str(error))

    def _is_new(self, file):
        try:
            status = os.lstat(file[1])
        except OSError:
            return False
        version = (file[1], status.st_ino, status.st_ctime_ns)
        is_new = version not in self._given and status.st_ctime >= self._since
        self._given.add(version)
        return is_new


def _read(head, path, limit, left):
    """Whatever the path has become meanwhile: no link is followed and no pipe waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb", buffering=0) as file:
        size = os.fstat(descriptor).st_size
        head = dict(head, size=size)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            yield dict(head, lost="it is no file any more")
            return
        if size == 0 and head["kind"] == "coverage":
            yield dict(head, lost="it is empty: its process died before it could write")
            return
        if min(size, limit) > left:
            yield dict(head, lost="the pod has given as many bytes as it may")
            return
        wanted = min(size, limit)
        while True:
            data = file.read(min(PIECE, wanted)) if wanted else b""
            wanted -= len(data)
            is_last = not data or wanted == 0
            text = base64.b64encode(data).decode("ascii")
            if is_last:
                yield dict(head, data=text, omitted=max(0, size - limit))
                return
            yield dict(head, data=text, last=False)


def find(globs, root, workspace):
    """Names and paths of files, each path once, in order. Links are never followed."""
    found, names = {}, set()
    for glob in globs:
        is_absolute = glob.startswith("/")
        for base in ["/"] if is_absolute else [root, workspace]:
            for relative in _matches(os.path.realpath(base), glob.strip("/")):
                path = os.path.join(os.path.realpath(base), relative)
                name = relative if relative not in names else "workspace/%s" % relative
                if path not in found and name not in names:
                    found[path] = name
                    names.add(name)
    return sorted((name, path) for path, name in found.items())


def below(folder):
    """Every file in a folder."""
    paths = (os.path.join(place, name) for place, _, names in os.walk(folder) for name in names)
    return sorted((os.path.relpath(path, folder), path) for path in paths)


def _matches(base, glob):
    parts = [part for part in glob.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        return
    fixed = 0
    while fixed < len(parts) - 1 and not _is_pattern(parts[fixed]):
        fixed += 1
    start = os.path.join(base, *parts[:fixed])
    if os.path.realpath(start) != start and base != "/":
        return  # A link on the way leads elsewhere.
    wanted = re.compile(_translate(parts))
    is_deep = "**" in parts
    for place, folders, names in os.walk(start):
        depth = len(os.path.relpath(place, base).split(os.sep)) if place != base else 0
        if not is_deep and depth >= len(parts) - 1:
            folders[:] = []
        folders.sort()
        for name in sorted(names):
            relative = os.path.relpath(os.path.join(place, name), base)
            if wanted.fullmatch(relative) and _is_file(os.path.join(place, name)):
                yield relative


def _is_file(path):
    """Not a link to one, nor a pipe that nobody writes to."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _is_pattern(part):
    return any(character in part for character in "*?[")


def _translate(parts):
    """A trailing `**` matches every file below; one in the middle any number of folders."""
    expression = ""
    for index, part in enumerate(parts):
        is_last = index == len(parts) - 1
        if part == "**":
            expression += ".*" if is_last else "(?:[^/]+/)*"
        else:
            expression += _translate_part(part) + ("" if is_last else "/")
    return expression


def _translate_part(part):
    expression, index = "", 0
    while index < len(part):
        character = part[index]
        end = part.find("]", index + 2) if character == "[" else -1
        if character == "*":
            expression += "[^/]*"
        elif character == "?":
            expression += "[^/]"
        elif end > 0:
            members = part[index + 1 : end].replace("\\", "\\\\")
            expression += "[%s]" % ("^/" + members[1:] if members[0] == "!" else members)
            index = end
        else:
            expression += re.escape(character)
        index += 1
    return expression
