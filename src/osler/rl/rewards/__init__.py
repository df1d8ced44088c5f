"""One file per verifiable reward."""
