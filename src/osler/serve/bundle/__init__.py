"""The signed offline bundle: built, verified and installed without a network."""
