"""Programs that are built: recorded ones put together anew, optimised, and differentiated."""
