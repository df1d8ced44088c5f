"""Chat completions: a request read, pictures decoded, an answer told apart and sent."""
