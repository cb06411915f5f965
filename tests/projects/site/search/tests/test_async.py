"""Asynchronous tests, of Django's classes and of unittest's own."""

import asyncio
from unittest import IsolatedAsyncioTestCase

from django.contrib.auth import get_user_model
from django.test import SimpleTestCase, TestCase

from search.index import Index


def index():
    made = Index()
    made.add("a", "searching")
    return made


class AsyncSimpleTest(SimpleTestCase):
    async def test_find(self):
        self.assertEqual(await index().find_soon("search"), {"a"})

    async def test_skip(self):
        self.skipTest("in a coroutine")

    async def test_several_at_once(self):
        self.assertEqual(await asyncio.gather(*(index().find_soon("searched") for _ in range(3))), [{"a"}] * 3)


class AsyncDatabaseTest(TestCase):
    async def test_query(self):
        await get_user_model().objects.acreate(username="ada")
        self.assertEqual(await get_user_model().objects.acount(), 1)

    async def test_rolled_back(self):
        self.assertFalse(await get_user_model().objects.aexists())


class IsolatedTest(IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.index = index()
        self.addAsyncCleanup(asyncio.sleep, 0)

    async def test_find(self):
        self.assertEqual(await self.index.find_soon("search"), {"a"})

    async def test_time_limit(self):
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), timeout=0.01)
