"""The built-in agent that finds the commit."""
