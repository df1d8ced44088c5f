"""Models as judges, asked through an endpoint."""
