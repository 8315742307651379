"""Where spans come from: files of every format, each read into records."""
