"""The command-line agents that the tests run, and where they are installed."""
