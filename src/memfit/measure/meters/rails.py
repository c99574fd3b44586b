"""Power rails of the board, from its INA3221. Rails are parts of the input: they must not be added up."""

from __future__ import annotations

from memfit.device.rails import read_rails
from memfit.host import Host
from memfit.measure.meters._meter import Meter, Reader, Series, Values, Watched, open_if_it_answers


def _values(host: Host) -> Values:
    return {Series(rail.name, "mw"): rail.now_mw for rail in read_rails(host)}


def _open(watched: Watched) -> Reader | None:
    return open_if_it_answers(watched.host, _values)


# the chip answers over I2C: the reader sleeps meanwhile
METER = Meter(summary="power by rail", units=("mw",), interval_s=0.5, waits=True, open=_open)
