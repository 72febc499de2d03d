"""The only room that knows LSP: main loop, protocol fixes, wire models, commands, documents,
progress and delivery through the editor. It reads runs and gives commands; agents are none of its
children.
"""
