"""The least that a language server made with pygls can be: the peer of ours when it starts."""

from pygls.lsp.server import LanguageServer

LanguageServer("minimal", "1").start_io()
