"""What both sides of the trap know: constants, records, ops, the system call table."""
