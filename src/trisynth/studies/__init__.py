"""Tables and figures of this paper's studies."""
