"""Short texts of two classes that differ in their words."""

import numpy as np
import pandas as pd

_OPENINGS = {
    "ill": ("Fever and cough", "High fever", "Cough, no fever"),
    "well": ("No complaints", "Feels well", "Well"),
}
_REST = ("since Monday.", "for two days!", "today;\nsent home.", "and stays here.")


def notes(n: int = 80, seed: int = 0) -> pd.DataFrame:
    """Return ``n`` rows: note, a text, and state, its class; every third note ends in a name of one row."""
    rng = np.random.default_rng(seed)
    state = np.array(["ill", "well"])[np.arange(n) % 2]
    texts = [f"{rng.choice(_OPENINGS[s])} {rng.choice(_REST)}" for s in state]
    texts = [f"{text} Dr Name{i}x" if i % 3 == 0 else text for i, text in enumerate(texts)]
    return pd.DataFrame({"note": texts, "state": state})
