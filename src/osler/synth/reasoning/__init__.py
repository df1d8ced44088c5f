"""Articles to reasoning samples: filter, question, trace, verify, rubric."""
