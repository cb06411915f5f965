"""Forms need no database; their cases are subtests that all pass."""

from django.test import SimpleTestCase, tag

from accounts.forms import NicknameForm


@tag("fast")
class NicknameFormTest(SimpleTestCase):
    def test_accepted(self):
        for nickname in ("ada", "grace-h", "x_1"):
            with self.subTest(nickname=nickname):
                self.assertTrue(NicknameForm({"nickname": nickname}).is_valid())

    def test_refused(self):
        for nickname, code in (("", "required"), ("ab", "min_length"), ("a b c", "invalid"), ("Root", "reserved")):
            with self.subTest(nickname=nickname):
                self.assertTrue(NicknameForm({"nickname": nickname}).has_error("nickname", code))

    def test_lower_case(self):
        form = NicknameForm({"nickname": "Grace"})
        form.full_clean()
        self.assertEqual(form.cleaned_data["nickname"], "grace")
