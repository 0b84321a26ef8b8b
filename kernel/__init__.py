"""What is true: data structures and rules, one folder per owner; see README.md."""
