"""The types that cross between commands: frozen, versioned, plain on disk."""
