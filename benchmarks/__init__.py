"""Measurements. Every figure comes with a peer or a limit measured in the same run: machines are
noisy, ratios are the result.
"""
