"""Runs and their session processes: start, drive one agent, record, finish, gate, deliver.

A session process is detached: it outlives the editor, the server and the shell that started it.
"""
