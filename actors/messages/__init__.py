"""What actors say to each other: one file per owner, one class per request; see base.py."""
