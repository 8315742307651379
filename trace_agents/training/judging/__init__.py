"""The gate and what comes after it: canaries, service, reports."""
