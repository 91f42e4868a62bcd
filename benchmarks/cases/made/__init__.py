"""Small tables as people have them, made up: a kind of difficulty each, to be given to ``benchmarks.cases``."""
