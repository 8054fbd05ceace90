"""Training: ``fit``, what it watches and reports, and the cost that it lowers."""
