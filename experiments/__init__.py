"""What the notes leave open, answered by sweeps: `python -m experiments.NAME SWEEP_FOLDER` prints a page's table."""
