"""Recipes, the loop, augmentation, evaluation and checkpoints."""
