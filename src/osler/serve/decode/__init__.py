"""Hostile image files are opened here, in processes of their own."""
