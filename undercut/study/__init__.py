"""The commands `undercut study KIND`, a module each."""
