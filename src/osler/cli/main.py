"""The `osler` command."""


def main() -> int:
    """Placeholder entry until the commands stand."""
    return 0
