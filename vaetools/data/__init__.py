"""The door: what comes in becomes rows. Imports nothing else of the package."""
