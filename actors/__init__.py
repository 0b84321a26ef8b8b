"""Who acts: the actors, and the conductor that lets one act at a time; see README.md."""
