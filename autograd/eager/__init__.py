"""How an operation becomes a node, and how a node is pulled back: the way that every eager number goes, made fast."""
