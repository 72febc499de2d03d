"""The run folder: where everything is, written so that a kill at any moment leaves it readable.

Files appear whole or not at all; what must happen once is an exclusive creation.
"""
