"""What changes a machine, and always back: it runs where the change is, as a program of its own.

It is sent over SSH, and left on a device that has to confirm a boot, so everything here needs Python 3.8 and the
standard library alone, and speaks JSON: a request in, an answer out (``memfit.agent.main``).
"""
