"""Recipes with a known fault (`nw.gallery.sick["saturation"].recipe`), and recipes that learn well
(`nw.gallery.healthy["rbm"].recipe`)."""

from __future__ import annotations

from netwise.gallery.cases import DEEP_SIGMOID, GalleryCase, healthy, sick

__all__ = ["DEEP_SIGMOID", "GalleryCase", "healthy", "sick"]
