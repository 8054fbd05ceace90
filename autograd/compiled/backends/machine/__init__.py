"""Machine code: each plan compiled for itself."""
