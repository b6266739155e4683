"""resbench: reproduce, measure and explain residual networks."""

__version__ = "0.1.0"
