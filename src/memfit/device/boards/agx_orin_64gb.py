"""Jetson AGX Orin 64GB (p3701-0005)."""

from memfit.device.boards._board import Board
from memfit.units import GIB, MIB

BOARD = Board(
    name="AGX Orin 64GB",
    physical_bytes=64 * GIB,
    total_bytes=62_841 * MIB,
    os_bytes=2_000 * 10**6,
    instructions=("neon", "dotprod"),
    threads=12,
    gpu="Ampere 8.7",
    grade="inferred",
    source="MemTotal from a tegrastats log; system use 2 GB after 'The Memory Budget' §6, not measured",
    aliases=("agx orin", "jetson agx orin", "jetson agx orin 64gb", "p3701 0005"),
)
