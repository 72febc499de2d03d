"""The part that runs inside the project's own interpreter, as a separate process.

It runs the tests once, with the lines each test executes, and writes one JSON file. It needs
nothing but the standard library, coverage and pytest (both lent where the project lacks them),
runs on Python 3.8 and later, and never imports bug_lsp: the project's interpreter has none.
"""
