"""Is this gradient right? Derivatives by differences with an estimated error, verdicts, and the node to blame."""
