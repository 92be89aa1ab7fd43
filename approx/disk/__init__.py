"""Results in files and folders, which are written whole or not at all and checked when read."""
