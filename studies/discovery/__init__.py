"""In which worlds a claim fails: boxes of parameters."""
