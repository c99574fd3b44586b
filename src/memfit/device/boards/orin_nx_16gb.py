"""Jetson Orin NX 16GB (p3767-0000)."""

from memfit.device.boards._board import Board
from memfit.units import GIB, MIB

BOARD = Board(
    name="Orin NX 16GB",
    physical_bytes=16 * GIB,
    total_bytes=15_656 * MIB,
    os_bytes=1_800 * 10**6,
    instructions=("neon", "dotprod"),
    threads=8,
    gpu="Ampere 8.7",
    grade="inferred",
    source="MemTotal from a tegrastats log; system use 1.8 GB as budgeted in 'The Memory Budget' §8, not measured",
    aliases=("orin nx", "jetson orin nx", "jetson orin nx 16gb", "p3767 0000"),
)
