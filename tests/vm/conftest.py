"""The image that machines boot, and why there are none here."""

from __future__ import annotations

import pytest
from image import Image, Unavailable, find_image, require
from machine import TOOLS


@pytest.fixture(scope="session")
def image() -> Image:
    """Made by the first test that needs it, unless it is in the cache."""
    try:
        require(TOOLS)
        return find_image()
    except Unavailable as why:
        pytest.skip(str(why))
