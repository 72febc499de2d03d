import asyncio


class Client:
    """Reads pages from a source, several at a time."""

    def __init__(self, source, at_once=2):
        self._source = source
        self._limit = at_once
        self.requests = 0

    async def page(self, name):
        self.requests += 1
        await asyncio.sleep(0)
        return self._source.get(name, "")

    async def size(self, name):
        """How long a page is."""
        return len(await self.page(name))

    async def all_sizes(self, names):
        return await asyncio.gather(*(self.size(name) for name in names))
