"""Where a node came from, where it stands in its graph, and why it is not a number: what errors and reports tell."""
