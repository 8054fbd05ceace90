"""What runs a plan: NumPy, the interpreter, machine code; and the choice among them."""
