"""Other evaluation programs: how tasks are written for them, and how their sample logs are read back."""
