"""The half of the oracle that runs in a process of its own, beside the engine; standard library only.

``run.py`` is started as a script: one JSON job on its input, one JSON answer on its output.
"""
