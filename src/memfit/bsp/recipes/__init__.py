"""Recipes, one file each: uses whose memory a board configuration can give back."""

from pathlib import Path

from memfit.bsp.recipes._recipe import Cluster, KernelNode, Recipe
from memfit.catalog import Catalog

RECIPES: Catalog[Recipe] = Catalog(__name__, Path(__file__).parent, constant="RECIPE", kind="recipe", type=Recipe)

__all__ = ["RECIPES", "Cluster", "KernelNode", "Recipe"]
