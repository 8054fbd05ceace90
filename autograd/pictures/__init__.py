"""Pictures of graphs: drawn, derived as mathematics, and played step by step on a page."""
