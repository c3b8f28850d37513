"""Charts of stored studies in the browser: a module a kind, as in ``viz.study``, with its ``choices`` and ``panels``."""
