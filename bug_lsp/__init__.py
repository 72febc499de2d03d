"""bug-lsp: several agents debug one bug in parallel, one orchestrator writes one synthesis."""

__version__ = "0.1.0"
