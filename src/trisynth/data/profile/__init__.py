"""Inference of a column's kind and format from its cells: the same for a file and for a DataFrame.

Inference looks at forms, never at relations between values, and declared facts always come first. What the cells leave
open is a doubt: it is reported with a line that settles it in the yaml beside the table.
"""

from trisynth.data.profile.columns import Context, Doubt, Profile, profile
from trisynth.data.profile.tables import context_of

__all__ = ["Context", "Doubt", "Profile", "context_of", "profile"]
