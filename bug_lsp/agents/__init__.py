"""One small file per kind of agent. An adapter turns one library's messages into our events; it
keeps no state, writes no files of ours and starts nothing but its agent.
"""
