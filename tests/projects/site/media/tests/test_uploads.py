"""Uploads land in the folder that the site's runner made for this run."""

import tempfile
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.test import TestCase

from media.models import Upload


class UploadTest(TestCase):
    def test_folder_is_temporary(self):
        self.assertEqual(Path(settings.MEDIA_ROOT).parent, Path(tempfile.gettempdir()))

    def test_file_is_written_there(self):
        upload = Upload(title="cover")
        upload.file.save("written.bin", ContentFile(b"mule"))
        self.assertEqual((Path(settings.MEDIA_ROOT) / upload.file.name).read_bytes(), b"mule")

    def test_a_taken_name_gets_a_suffix(self):
        names = set()
        for _ in range(2):
            upload = Upload(title="cover")
            upload.file.save("taken.bin", ContentFile(b"mule"))
            names.add(upload.file.name)
        self.assertEqual(len(names), 2)

    def test_file_outlives_its_row(self):
        upload = Upload(title="cover")
        upload.file.save("outlives.bin", ContentFile(b"mule"))
        path = Path(upload.file.path)
        upload.delete()
        self.assertTrue(path.exists())
