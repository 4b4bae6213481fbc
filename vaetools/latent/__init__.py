"""About latents: arrays in, arrays or numbers out. Imports nothing else of the package."""
