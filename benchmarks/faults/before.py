"""Counts of the review by hand that the campaign began from, for the rows that it has in common with the campaign."""

BEFORE = {
    ("kills", "sweep"): "67 kills of sweeps and searches, no result lost; workers live on for minutes",
    ("kills", "search"): "with the kills of sweeps",
    ("kills", "first start of MLflow"): "the database is broken for good",
    ("damages", "runs"): "36 of 120 come out as numbers",
    ("damages", "cache"): "150 of 150 healed",
    ("damages", "generator"): "7 of 23 end in tracebacks",
    ("races", "first starts at once"): "7 of 8 end with status 1",
    ("attacks", "preprocessing"): "10 functions run code at six places, one deletes a folder, 5 write files",
    ("hostile files", "generator"): "7 of 23 end in tracebacks, one of 1.9 MB takes 3.9 GB",
}
