"""The VS Code extension, and what builds it."""
