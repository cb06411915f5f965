"""Small Django projects, written to a folder by the test that needs them."""

import textwrap

MANAGE = """
    import os, sys
    if __name__ == "__main__":
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf.settings")
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
"""

SETTINGS = """
    SECRET_KEY = "not a secret"
    INSTALLED_APPS = ["shop"]
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
    USE_TZ = True
"""


class Project:
    """A project with one empty app, `shop`."""

    def __init__(self, root):
        self.root = root
        self.apps = [{"label": "shop", "path": "shop"}]
        self.write("manage.py", MANAGE)
        self.write("conf/settings.py", SETTINGS)
        self.write("shop/__init__.py", "")

    def write(self, path, source):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".py" and file.parent != self.root:
            (file.parent / "__init__.py").touch()
        file.write_text(textwrap.dedent(source))

    def append(self, path, source):
        with open(self.root / path, "a") as file:
            file.write(textwrap.dedent(source))

    def add_app(self, name, path=None):
        path = path or name
        self.write(path + "/__init__.py", "")
        self.apps.append({"label": name, "path": path})
        self.append("conf/settings.py", "\nINSTALLED_APPS += [%r]\n" % path.replace("/", "."))


class Bare(Project):
    """A folder, without Django and without anything else."""

    def __init__(self, root):
        self.root = root
        self.apps = []
