"""Data that come with the package, to start with: real images."""

from vaetools.datasets.garments import load_garments

__all__ = ["load_garments"]
