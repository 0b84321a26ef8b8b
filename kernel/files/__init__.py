"""What is true of files: the name space, inodes, descriptors, devices, the terminal. `files.FilesState` holds all of it."""
