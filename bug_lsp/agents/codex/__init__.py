"""Codex, through the official `openai-codex`."""
