"""Synthetic Data in Practice: the small package the labs import."""
