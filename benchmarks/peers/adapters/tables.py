"""A table for peers that take no missing cell, and back."""

_MARK = "__missing"
_TOKEN = "__missing"


def complete(table, kinds):
    """The table without missing cells, and its kinds.

    A missing number becomes the median, with an indicator of the missing cell beside it; a missing category becomes
    one more category.
    """
    table, kinds = table.copy(), dict(kinds)
    for name, kind in list(kinds.items()):
        missing = table[name].isna()
        if kind == "category":
            table[name] = table[name].astype(object).where(~missing, _TOKEN)
            continue
        numbers = table[name].astype(float)
        table[name] = numbers.fillna(numbers.median())
        if missing.any():
            table[name + _MARK] = missing.map({True: "yes", False: "no"}).astype(object)
            kinds[name + _MARK] = "category"
    return table, kinds


def restored(rows, kinds):
    """Rows with their missing cells again, in the columns of ``kinds``."""
    for name, kind in kinds.items():
        if kind == "category":
            rows[name] = rows[name].where(rows[name] != _TOKEN)
        elif name + _MARK in rows:
            rows[name] = rows[name].astype(float).where(rows[name + _MARK] != "yes")
    return rows[list(kinds)]
