"""Samples on disk: tar shards, a Parquet index, order and mixture."""
