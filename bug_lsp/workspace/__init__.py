"""The user's code: their exact working state as a git tree, a copy for each session, its diff, and
the task file. Of the user's own files only the task file is ever written, and what is changed by a
patch that they apply.
"""
