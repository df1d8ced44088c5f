"""Corruptions, one file each: what scanners, rooms and files do to pictures, at five severities."""
