"""The index, with tags on a class and on methods."""

from django.test import SimpleTestCase, tag

from search.index import Index


@tag("index")
class IndexTest(SimpleTestCase):
    def setUp(self):
        self.index = Index()
        self.index.add(1, "Mules carry trains")
        self.index.add(2, "Trains carry mail")

    def test_one_word(self):
        self.assertEqual(self.index.find("mule"), {1})

    def test_all_words(self):
        self.assertEqual(self.index.find("carry train"), {1, 2})

    @tag("fast")
    def test_nothing_asked(self):
        self.assertEqual(self.index.find(""), set())

    @tag("fast", "edge")
    def test_nothing_found(self):
        self.assertEqual(self.index.find("ships"), set())
