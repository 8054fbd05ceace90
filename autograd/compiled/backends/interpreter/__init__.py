"""The interpreter: one native program, written once, that runs the code of any plan."""
