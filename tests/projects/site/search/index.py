"""A word index in memory."""

import asyncio
from collections import defaultdict

ENDINGS = ("ings", "ing", "ed", "s")


def stem(word):
    """The word without its ending, as long as three letters stay."""
    word = word.lower()
    return next((word[: -len(end)] for end in ENDINGS if word.endswith(end) and len(word) - len(end) >= 3), word)


class Index:
    def __init__(self):
        self.documents = defaultdict(set)

    def add(self, key, text):
        for word in text.split():
            self.documents[stem(word)].add(key)

    def find(self, query):
        found = [self.documents[stem(word)] for word in query.split()]
        return set.intersection(*found) if found else set()

    async def find_soon(self, query):
        await asyncio.sleep(0)
        return self.find(query)
