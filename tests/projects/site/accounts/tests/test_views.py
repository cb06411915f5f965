"""Signing in over the test client."""

from django.contrib.auth import get_user_model
from django.test import TestCase, override_settings
from django.urls import reverse

from accounts.models import Member


class SignInTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        user = get_user_model().objects.create_user("grace", password="cobol")
        Member.objects.create(user=user, country_id="AT")

    def test_right_password(self):
        answer = self.client.post(reverse("sign-in"), {"name": "grace", "password": "cobol"})
        self.assertContains(answer, "welcome")

    def test_wrong_password(self):
        answer = self.client.post(reverse("sign-in"), {"name": "grace", "password": "fortran"})
        self.assertEqual(answer.status_code, 403)

    def test_only_post(self):
        self.assertEqual(self.client.get(reverse("sign-in")).status_code, 405)

    def test_profile_needs_a_session(self):
        self.assertRedirects(
            self.client.get(reverse("profile")), "/accounts/sign-in/?next=/accounts/profile/", fetch_redirect_response=False
        )

    def test_profile(self):
        self.client.login(username="grace", password="cobol")
        self.assertContains(self.client.get(reverse("profile")), "grace (AT)")

    @override_settings(ALLOWED_HOSTS=["shop.example"])
    def test_foreign_host_is_refused(self):
        self.assertEqual(self.client.get(reverse("profile"), headers={"host": "elsewhere.example"}).status_code, 400)
