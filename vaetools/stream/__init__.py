"""Beyond one machine: Ray runs the functions of `streaming` on many machines at once."""
