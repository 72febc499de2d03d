from dedupe import trimmed

print(trimmed([" x", "y\t", "", "   ", " a b  "]))
