"""Sick runs with known illness and healthy ones: `nw.gallery.sick["saturation"].recipe`."""

from __future__ import annotations

from netwise.gallery.cases import DEEP_SIGMOID, GalleryCase, healthy, sick

__all__ = ["DEEP_SIGMOID", "GalleryCase", "healthy", "sick"]
