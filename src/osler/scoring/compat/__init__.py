"""Other programs' rules for reading answers, one file each, reproduced on purpose and under their own names."""
