"""Style transfer: the picture is what is trained (Dive into Deep Learning, 14.12; notes 49)."""
