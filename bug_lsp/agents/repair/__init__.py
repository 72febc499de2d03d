"""The built-in agent that tries small edits until the failing tests pass."""
