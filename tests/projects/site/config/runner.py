"""The site's test runner: a media folder of its own, and the countries every test may count on."""

import shutil
import tempfile

from django.conf import settings
from django.test.runner import DiscoverRunner

COUNTRIES = [("AT", "Austria"), ("IS", "Iceland"), ("JP", "Japan")]


class SiteRunner(DiscoverRunner):
    def __init__(self, keep_uploads=False, **kwargs):
        super().__init__(**kwargs)
        self.keep_uploads = keep_uploads

    @classmethod
    def add_arguments(cls, parser):
        super().add_arguments(parser)
        parser.add_argument("--keep-uploads", action="store_true", help="Keep the files that tests uploaded.")

    def setup_test_environment(self, **kwargs):
        super().setup_test_environment(**kwargs)
        self.configured_media_root = settings.MEDIA_ROOT
        settings.MEDIA_ROOT = tempfile.mkdtemp(prefix="site-uploads-")

    def teardown_test_environment(self, **kwargs):
        if self.keep_uploads:
            self.log(f"Uploads kept in {settings.MEDIA_ROOT}")
        else:
            shutil.rmtree(settings.MEDIA_ROOT)
        settings.MEDIA_ROOT = self.configured_media_root
        super().teardown_test_environment(**kwargs)

    def setup_databases(self, **kwargs):
        configured = super().setup_databases(**kwargs)
        if "default" in kwargs.get("aliases", ()):
            from accounts.models import Country

            for code, name in COUNTRIES:
                Country.objects.update_or_create(code=code, defaults={"name": name})
        return configured
