"""Models in files that run no code: `save`, `load`, ONNX, and what a file may say."""
