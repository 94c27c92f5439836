"""Observation of any PyTorch module and training loop: layers, shapes, activations, gradients."""
