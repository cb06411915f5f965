"""Which files this process reads, which folders it lists and what it writes, told by Python's audit events."""

import os
import sys


class Trace:
    """Listens from the moment it is made until `stop`. Paths are absolute, as they were asked for."""

    def __init__(self):
        self.read = set()
        self.listed = set()
        self.written = set()
        self._handlers = {
            "open": self._open,
            "import": lambda _, filename, *__: self._note(self.read, filename),
            "os.listdir": lambda folder: self._note(self.listed, "." if folder is None else folder),
            "os.scandir": lambda folder: self._note(self.listed, "." if folder is None else folder),
            "os.mkdir": self._make_folder,
            "os.link": lambda _, target, *__: self._note(self.written, target),
            "os.symlink": lambda _, target, *__: self._note(self.written, target),
            "os.remove": lambda path, *_: self._note(self.written, path),
            "os.rename": self._rename,
            "os.rmdir": lambda path, *_: self._note(self.written, path),
            "sqlite3.connect": self._connect,
        }
        sys.addaudithook(self._hear)

    def stop(self):
        """Audit hooks cannot be removed; this one has nothing left to do."""
        self._handlers = {}

    def _hear(self, event, arguments):
        handler = self._handlers.get(event)
        if handler is None:
            return
        try:
            handler(*arguments)
        except Exception:
            pass  # It would be raised in the project. What has no path, such as a descriptor, is not noted.

    def _note(self, paths, path):
        path = os.fsdecode(path)
        paths.add(path if os.path.isabs(path) else os.path.join(os.getcwd(), path))

    def _open(self, path, _, flags):
        self._note(self.written if flags & (os.O_WRONLY | os.O_RDWR) else self.read, path)

    def _make_folder(self, path, *_):
        if not os.path.exists(path):
            self._note(self.written, path)

    def _rename(self, source, target, *_):
        self._note(self.written, source)
        self._note(self.written, target)

    def _connect(self, database, *_):
        """SQLite itself opens its files, unseen; one that is not there yet is about to be made."""
        path = os.fsdecode(database)
        if path.startswith("file:"):
            path = path[len("file:") :].partition("?")[0]
        self._note(self.read if os.path.exists(path) else self.written, path)
        for suffix in ("-journal", "-wal", "-shm"):
            self._note(self.written, path + suffix)


def module_files():
    """Of all modules that are loaded, also those loaded before any trace began."""
    for module in list(sys.modules.values()):
        try:
            file = object.__getattribute__(module, "__dict__").get("__file__")
        except AttributeError:
            continue  # Anything can be put into sys.modules.
        if isinstance(file, str):
            yield os.path.abspath(file)
