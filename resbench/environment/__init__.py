"""The machine, the software and the settings a result comes from, apart from the state that all this was in."""

from resbench.environment.recording import capture

__all__ = ["capture"]
