"""Files that other programs run: a network with the preparation of its inputs, as ONNX or as a
program of `torch.export`."""
