"""Speed and memory beside the engines that people would use instead. Run ``python -m benchmarks NAME [--json]``."""
