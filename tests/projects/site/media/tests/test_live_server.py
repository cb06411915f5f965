"""A real server on a free port, asked over HTTP."""

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.contrib.staticfiles.testing import StaticLiveServerTestCase
from django.core.files.base import ContentFile
from django.test import LiveServerTestCase

from media.models import Upload


class DownloadLiveTest(LiveServerTestCase):
    serialized_rollback = True

    def setUp(self):
        self.upload = Upload(title="cover")
        self.upload.file.save("cover.bin", ContentFile(b"mule"))

    def test_download(self):
        with urlopen(f"{self.live_server_url}/media/{self.upload.pk}/") as answer:
            self.assertEqual(answer.read(), b"mule")

    def test_upload(self):
        request = Request(f"{self.live_server_url}/media/?title=train", data=b"rails", method="POST")
        with urlopen(request) as answer:
            self.assertEqual(Upload.objects.get(pk=json.load(answer)["pk"]).file.read(), b"rails")

    def test_not_found(self):
        with self.assertRaises(HTTPError) as caught:
            urlopen(f"{self.live_server_url}/media/4711/")
        self.addCleanup(caught.exception.close)
        self.assertEqual(caught.exception.code, 404)


class StaticLiveTest(StaticLiveServerTestCase):
    serialized_rollback = True

    def test_missing_asset(self):
        with self.assertRaises(HTTPError) as caught:
            urlopen(f"{self.live_server_url}/static/none.css")
        self.addCleanup(caught.exception.close)
        self.assertEqual(caught.exception.code, 404)
