"""The project of `bug-lsp demo`: a small one with a real bug and the history it came with."""
