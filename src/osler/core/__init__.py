"""The ground: recipes, catalogues, files, errors and logs. Knows nothing of medicine or of models."""
