"""What ``tools/fit_speed.py`` is made of."""
