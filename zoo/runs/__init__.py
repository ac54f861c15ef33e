"""The run folder: what is written there, weights and checkpoints, and a run loaded again."""
