import unittest

from roman import number_of


class Roman(unittest.TestCase):
    def test_single(self):
        self.assertEqual(number_of("V"), 5)

    def test_before(self):
        self.assertEqual(number_of("IX"), 9)

    def test_twice(self):
        self.assertEqual(number_of("II"), 2)

    def test_year(self):
        self.assertEqual(number_of("MCMXC"), 1990)
