#!/usr/bin/env python
"""Django's command line for Wagtail's own test project, which ships in its wheel."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wagtail.test.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
