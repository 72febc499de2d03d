"""Real bugs of published packages, built from what a package registry serves."""
