import unittest

from inventory.store import Store


class StoreTest(unittest.TestCase):
    def setUp(self):
        self.store = Store()
        self.store.receive("bolt", 10)

    def test_reserve(self):
        self.assertTrue(self.store.reserve("bolt", 4))
        self.assertEqual(self.store.items["bolt"].available, 6)

    def test_too_many(self):
        self.assertFalse(self.store.reserve("bolt", 11))

    def test_unknown(self):
        self.assertFalse(self.store.reserve("nut", 1))

    def test_twice(self):
        self.assertTrue(self.store.reserve("bolt", 8))
        self.assertFalse(self.store.reserve("bolt", 3))

    def test_ship(self):
        self.store.reserve("bolt", 4)
        self.assertEqual(self.store.ship("bolt", 4), 6)
