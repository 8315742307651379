"""From finished episodes to checked proposals."""
