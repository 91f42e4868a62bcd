"""An audit that was interrupted goes on where it was, and finds what an undisturbed one finds."""

import pytest

from trisynth import audit, commandline
from trisynth.generators.independent import Independent

FITS = 20


@pytest.fixture
def config(tmp_path, monkeypatch):
    rows = [f"{i % 7},{'xy'[i % 2]},{'ab'[i % 3 == 0]}" for i in range(60)]
    (tmp_path / "mine.csv").write_text("\n".join(["n,c,y", *rows]) + "\n")
    monkeypatch.chdir(tmp_path)
    return commandline.composed(["dataset=csv", "dataset.path=mine.csv", "dataset.target=y", "generator=independent"])


def test_an_interrupted_audit_makes_only_the_missing_fits(config, tmp_path, monkeypatch):
    fits, fit = [], Independent._fit

    def counted(self, *arguments):
        if len(fits) == FITS // 2:
            fits.append("interrupted")
            raise KeyboardInterrupt
        fits.append(1)
        return fit(self, *arguments)

    monkeypatch.setattr(Independent, "_fit", counted)
    with pytest.raises(KeyboardInterrupt):
        audit.audited(config, FITS, 60, 100)
    found = audit.audited(config, FITS, 60, 100)
    assert len(fits) == 2 * FITS + 1
    assert audit.audited(config, FITS, 60, 100) == found and len(fits) == 2 * FITS + 1
    config["paths"]["cache"] = "elsewhere"
    assert audit.audited(config, FITS, 60, 100) == found
    assert len(fits) == 4 * FITS + 1
