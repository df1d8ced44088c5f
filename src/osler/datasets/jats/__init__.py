"""Articles in JATS XML: their figures with captions, licences, mentions and image files."""
