"""Claude, through the official `claude-agent-sdk`."""
