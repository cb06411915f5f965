"""Members: class data, docstrings as test descriptions, and rows that only the runner seeds."""

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.test import TestCase

from accounts.models import Country, Member


class MemberTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.user = get_user_model().objects.create_user("ada", password="engine")
        cls.member = Member.objects.create(user=cls.user, country_id="IS")

    def test_shows_name_and_country(self):
        """A member is shown by name and country code."""
        self.assertEqual(str(self.member), "ada (IS)")

    def test_change_is_not_seen_by_class_mates(self):
        """
        What one test changes is gone for the next.

        The second paragraph of a docstring is no part of its description.
        """
        self.member.newsletter = True
        self.member.save()
        self.assertTrue(Member.objects.get().newsletter)

    def test_newsletter_is_off_by_default(self):
        self.assertFalse(Member.objects.get().newsletter)

    def test_one_member_for_each_user(self):
        with self.assertRaises(IntegrityError), transaction.atomic():
            Member.objects.create(user=self.user, country_id="JP")

    def test_country_with_members_is_protected(self):
        with self.assertRaises(ProtectedError):
            Country.objects.get(code="IS").delete()

    def test_member_leaves_with_the_user(self):
        self.user.delete()
        self.assertFalse(Member.objects.exists())


class CountryTest(TestCase):
    def test_runner_seeds_the_countries(self):
        self.assertEqual(list(Country.objects.order_by("code").values_list("code", flat=True)), ["AT", "IS", "JP"])

    def test_name_is_shown(self):
        self.assertEqual(str(Country.objects.get(code="JP")), "Japan")

    def test_two_queries_at_most(self):
        with self.assertNumQueries(1):
            list(Country.objects.all())
