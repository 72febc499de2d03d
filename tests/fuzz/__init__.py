"""What nobody would write on purpose, made by the thousand."""
