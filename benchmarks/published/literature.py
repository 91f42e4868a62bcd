"""Published scores, as re-measured with one protocol by TabPC (arXiv 2603.23016)."""

# C2ST score of boosted trees against the training rows.
C2ST = {
    "TabSyn": {"adult": 0.794, "default": 0.402, "shoppers": 0.655, "magic": 0.760},
    "TabDiff": {"adult": 0.841, "default": 0.591, "shoppers": 0.736, "magic": 0.773},
    "TabPC": {"adult": 0.855, "default": 0.262, "shoppers": 0.894, "magic": 0.860},
}
# ROC-AUC of boosted trees on held-out rows, trained on real and on synthetic rows.
UTILITY = {
    "real rows": {"adult": 0.927, "default": 0.770, "shoppers": 0.926, "magic": 0.946},
    "TabDiff": {"adult": 0.913, "default": 0.762, "shoppers": 0.917, "magic": 0.936},
}
