"""Osler: build, prove and run a medical vision-language model on your own machines."""
