"""Attention, and the blocks of a Transformer."""
