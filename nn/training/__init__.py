"""Training: ``fit`` with the parts that it is made of, and ``diagnose``, which looks for trouble before."""
