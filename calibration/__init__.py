"""Measures rules on programs: scripts/calibrate and scripts/clinic."""
