import asyncio

from fetch.client import Client

print(asyncio.run(Client({"a": "1", "b": "22"}).all_sizes(["a", "b", "c", "a"])))
