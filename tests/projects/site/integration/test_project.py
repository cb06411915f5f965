"""The project as a whole: settings, addresses, migrations."""

import os
import unittest

from django.conf import settings
from django.core.management import call_command
from django.test import TestCase
from django.urls import get_resolver


class ProjectTest(TestCase):
    databases = "__all__"

    def test_checks_find_nothing(self):
        call_command("check", verbosity=0)

    def test_every_model_change_has_a_migration(self):
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)

    def test_debug_is_off(self):
        self.assertFalse(settings.DEBUG)


class AddressTest(unittest.TestCase):
    def test_every_part_has_addresses(self):
        self.assertEqual(len(get_resolver().url_patterns), 4)

    def test_started_in_the_project(self):
        self.assertTrue(os.path.exists("manage.py"))
