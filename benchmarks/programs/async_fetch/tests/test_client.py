import asyncio

from fetch.client import Client

PAGES = {"a": "xx", "b": "yyyy"}


def test_page():
    assert asyncio.run(Client(PAGES).page("a")) == "xx"


def test_size():
    assert asyncio.run(Client(PAGES).size("b")) == 4
