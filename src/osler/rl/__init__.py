"""Reinforcement and preference training on TRL."""
