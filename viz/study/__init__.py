"""Reports on studies: a module a kind."""
