"""The encoder benchmark."""
