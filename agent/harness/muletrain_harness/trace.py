"""Which files this process reads, which folders it lists and what it writes, told by Python's audit events."""

import os
import shlex
import sys


class Trace:
    """Listens from the moment it is made until `stop`. Paths are absolute, as they were asked for."""

    def __init__(self, surroundings):
        self.surroundings = surroundings
        self.read = set()
        self.listed = set()
        self.written = set()
        self._handlers = {
            "open": self._open,
            "import": lambda _, filename, *__: self._note(self.read, filename),
            "os.exec": lambda _, words, *__: self._start(words),
            "os.link": lambda _, target, __, folder: self._write(target, folder),
            "os.listdir": self._list,
            "os.mkdir": lambda path, _, folder: os.path.exists(path) or self._write(path, folder),
            "os.posix_spawn": lambda _, words, *__: self._start(words),
            "os.remove": self._write,
            "os.rename": self._rename,
            "os.rmdir": self._write,
            "os.scandir": self._list,
            "os.symlink": lambda _, target, folder: self._write(target, folder),
            "os.system": lambda words: self._start([words]),
            "sqlite3.connect": self._connect,
            "subprocess.Popen": lambda _, words, folder, *__: self._start(words, folder),
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
        makes_anew = flags & os.O_TRUNC or not os.path.exists(path)
        is_read = flags & os.O_RDWR and not makes_anew or not flags & (os.O_WRONLY | os.O_RDWR)
        self._note(self.read if is_read else self.written, path)

    def _start(self, words, folder=None):
        """What another program reads is not seen, so what its command line names counts as read."""
        words = [words] if isinstance(words, (str, bytes)) else words
        for word in words:
            for name in (word, *_parts(os.fsdecode(word))):
                path = os.path.join(folder or ".", os.fsdecode(name))
                if os.path.isfile(path):
                    self._note(self.read, path)
                elif os.path.isdir(path):
                    self._note(self.listed, path)

    def _list(self, folder):
        self._note(self.listed, "." if folder is None else folder)

    def _write(self, path, folder):
        """`folder` is the descriptor of the one that `path` begins in, or -1."""
        if folder == -1:
            self._note(self.written, path)

    def _rename(self, source, target, source_folder, target_folder):
        self._write(source, source_folder)
        self._write(target, target_folder)

    def _connect(self, database):
        """SQLite opens its files itself, unseen; one that is not there yet is about to be made."""
        path = os.fsdecode(database)
        if path == ":memory:" or "mode=memory" in path:
            return
        if path.startswith("file:"):
            path = path[len("file:") :].partition("?")[0]
        self._note(self.read if os.path.exists(path) else self.written, path)
        for suffix in ("-journal", "-wal", "-shm"):
            self._note(self.written, path + suffix)


def _parts(text):
    """What may be names in a line of a shell or in `--file=name`."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    return [part for word in words for part in (word, word.partition("=")[2]) if part]


def module_files():
    """Of all modules that are loaded, also those loaded before any trace began."""
    for module in list(sys.modules.values()):
        try:
            file = object.__getattribute__(module, "__dict__").get("__file__")
        except AttributeError:
            continue  # Anything can be put into sys.modules.
        if isinstance(file, str):
            yield os.path.abspath(file)
