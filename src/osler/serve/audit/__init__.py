"""The audit trail: a chain of entries, signatures kept elsewhere, retention, and their verification."""
