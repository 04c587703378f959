"""Reward design for reinforcement learning, automated."""

__version__ = "0.1.0"
