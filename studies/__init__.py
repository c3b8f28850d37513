"""Sensitivity, causes, break points, discovery and calibration of the market."""
