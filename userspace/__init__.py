"""What programs see: types of simulated memory, libc, and the programs of /bin and of the lecture."""
