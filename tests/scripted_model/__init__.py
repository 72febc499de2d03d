"""A scripted stand-in for the model services that coding agents talk to."""

from .script import Script, Step
from .server import ScriptedModel
from .thread import scripted_model

__all__ = ["Script", "ScriptedModel", "Step", "scripted_model"]
