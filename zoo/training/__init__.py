"""Batches, the loop and the update of the weights; randomness, devices and precision."""
