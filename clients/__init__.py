"""The editors' own parts, and what builds them."""
