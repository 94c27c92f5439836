"""Convolutional networks and how they are tuned."""

from __future__ import annotations

from typing import Any

from netwise.labs.convolution.imagenet_errors import L76
from netwise.labs.convolution.kernels import L51, L52
from netwise.labs.convolution.linear_layers import L53
from netwise.labs.convolution.output_sizes import L84
from netwise.labs.convolution.pooling import L57
from netwise.labs.convolution.published_counts import L75
from netwise.labs.lab_definition import Lab

CONVOLUTION_LABS: tuple[Lab[Any], ...] = (L51, L52, L53, L57, L75, L76, L84)
