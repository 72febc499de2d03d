"""What runs in the projects' own environments."""
