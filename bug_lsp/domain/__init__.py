"""What is true: values and pure functions. Nothing here does IO, knows LSP or starts anything."""
