"""The page on which backpropagation plays step by step."""
