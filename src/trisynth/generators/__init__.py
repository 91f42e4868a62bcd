"""One file per generator; ``base`` says what a generator is."""
