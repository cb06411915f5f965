"""Articles and comments, all green."""

from datetime import datetime, timezone

from django.core import mail
from django.test import TestCase
from django.urls import reverse

from blog.models import Article, Comment


class ArticleTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.article = Article.objects.create(
            title="Mules", slug="mules", published=datetime(2026, 1, 2, tzinfo=timezone.utc)
        )
        cls.draft = Article.objects.create(title="Trains", slug="trains")
        cls.comment = Comment.objects.create(article=cls.article, text="So strong!")

    def test_published(self):
        self.assertContains(self.client.get(reverse("article", args=["mules"])), "Mules")

    def test_draft_is_not_found(self):
        self.assertEqual(self.client.get(reverse("article", args=["trains"])).status_code, 404)

    def test_comments_are_shown(self):
        self.assertContains(self.client.get(reverse("article", args=["mules"])), "So strong!")

    def test_hidden_comments_are_not(self):
        self.comment.hide()
        self.assertNotContains(self.client.get(reverse("article", args=["mules"])), "So strong!")

    def test_outbox_is_empty(self):
        self.assertEqual(mail.outbox, [])

    def test_outbox_keeps_mail(self):
        mail.send_mail("New comment", self.comment.text, "shop@example.com", ["editor@example.com"])
        self.assertEqual(mail.outbox[0].subject, "New comment")
