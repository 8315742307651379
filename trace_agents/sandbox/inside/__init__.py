"""What runs in the child of the `process` sandbox: the standard library and these files only."""
