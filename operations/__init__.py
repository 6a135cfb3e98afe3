"""What people run: runs, credentials, host keys, tokens and schedules, kept in the operations database."""
