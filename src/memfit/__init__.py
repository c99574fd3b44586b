"""Fit bigger AI models into the memory an edge device really has."""

__version__ = "0.1.0"
