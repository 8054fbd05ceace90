"""What the interpreter and machine code share: compiling, the cache on disk, the driver, threads."""
