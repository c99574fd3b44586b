"""Deployments drawn at random, decided, and some of them run for real: what ``tools/soak.py`` is made of."""
