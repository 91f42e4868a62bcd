"""Attacks on synthetic rows: what somebody who has them learns about the rows of their generator.

Every attack is made on training rows and on held-out rows; the difference is what the generator reveals. An attack that
finds nothing proves nothing, since a better one may exist.
"""

from dataclasses import dataclass

from trisynth.auditing.attribute_inference import attribute_inference, worst
from trisynth.auditing.linkability import linkability
from trisynth.auditing.membership import attack_by_shadows, attacks
from trisynth.auditing.rates import Risk
from trisynth.auditing.records import MOST, Records
from trisynth.auditing.singling_out import multivariate, univariate
from trisynth.errors import require_number, require_whole
from trisynth.evaluation.metrics.base import PrivacyMetric
from trisynth.evaluation.metrics.context import Context


@dataclass(frozen=True)
class Membership(PrivacyMetric):
    """ROC AUC of attacks that recognise training rows among held-out ones, and what they find at few false alarms.

    By nearness to a synthetic row, by the density of synthetic rows over that of other real rows (DOMIAS), and by the
    generator's own likelihood where it has one. ``_tpr`` is the fraction of training rows above the score that one in
    a hundred held-out rows exceeds. Without enough rows there are no scores.

    Parameters
    ----------
    max_rows : int, default=2000
        Maximum number of rows of each side that are scored, against all synthetic rows up to 100,000.
    shadows : int, default=0
        Shadow models (LiRA), each a fit of the job's generator on random real rows; 0 leaves this attack out.
    """

    max_rows: int = 2_000
    shadows: int = 0

    def __post_init__(self):
        """Check the arguments."""
        require_whole("max_rows", self.max_rows, 6)
        require_whole("shadows", self.shadows, 0)

    def _score(self, context):
        generator = context.generator() if context.generator else None
        parts = context.train, context.test, context.synthetic
        scores = {}
        found = attacks(*parts, context.seed, generator, self.max_rows)
        if found and self.shadows and generator is not None:
            found["shadows"] = attack_by_shadows(generator, *parts, context.seed, self.shadows)
        for name, attack in found.items():
            scores |= {
                f"membership_{name}": attack.auc,
                f"membership_{name}_low": attack.low,
                f"membership_{name}_high": attack.high,
                f"membership_{name}_tpr": attack.tpr["tpr_at_1_percent"][0],
                f"membership_{name}_used": attack.used,
            }
        return scores


@dataclass(frozen=True)
class _Attacks(PrivacyMetric):
    attacks: int = 500
    max_rows: int = MOST

    def __post_init__(self):
        """Check the arguments."""
        require_whole("attacks", self.attacks, 1)
        require_whole("max_rows", self.max_rows, 1)

    def _records(self, context: Context) -> Records:
        return Records.of(context.tables, context.schema.columns, context.seed, self.max_rows)


@dataclass(frozen=True)
class AttributeInference(_Attacks):
    """Risk that one cell of a row is inferred from all others, mean over the columns, and that of the worst column.

    Parameters
    ----------
    attacks : int, default=500
        Maximum number of rows of each side that are attacked.
    max_rows : int, default=100000
        Maximum number of rows of each kind.
    tolerance : float, default=0.05
        A number counts as inferred within this fraction of it.
    """

    tolerance: float = 0.05

    def __post_init__(self):
        """Check the arguments."""
        super().__post_init__()
        require_number("tolerance", self.tolerance, 0, 1)

    def _score(self, context):
        found = attribute_inference(self._records(context), context.seed, self.attacks, self.tolerance)
        if not found:
            return {}
        each = [_named("attribute_inference", risk) for risk in found.values()]
        # The interval of a mean is no wider than the mean of the intervals.
        scores = {name: sum(one[name] for one in each) / len(each) for name in each[0]}
        ends = zip(("", "_low", "_high"), worst(found)[1].interval, strict=True)
        return scores | {f"attribute_inference_max{end}": value for end, value in ends}


@dataclass(frozen=True)
class SinglingOut(_Attacks):
    """Risk that a predicate made from synthetic rows holds for exactly one real row.

    Parameters
    ----------
    attacks : int, default=500
        Maximum number of predicates.
    max_rows : int, default=100000
        Maximum number of rows of each kind.
    columns : int, default=3
        Columns of a multivariate predicate.
    """

    columns: int = 3

    def __post_init__(self):
        """Check the arguments."""
        super().__post_init__()
        require_whole("columns", self.columns, 2)

    def _score(self, context):
        records = self._records(context)
        found = {
            "singling_out_univariate": univariate(records, context.seed, self.attacks),
            "singling_out_multivariate": multivariate(records, context.seed, self.attacks, self.columns),
        }
        return {key: value for name, risk in found.items() if risk for key, value in _named(name, risk).items()}


@dataclass(frozen=True)
class Linkability(_Attacks):
    """Risk that two tables of different columns are linked row by row through synthetic rows.

    Parameters
    ----------
    attacks : int, default=500
        Maximum number of rows of each side that are attacked.
    max_rows : int, default=100000
        Maximum number of rows of each kind.
    divisions : int, default=5
        Random divisions of the columns.
    """

    divisions: int = 5

    def __post_init__(self):
        """Check the arguments."""
        super().__post_init__()
        require_whole("divisions", self.divisions, 1)

    def _score(self, context):
        risk = linkability(self._records(context), context.seed, self.attacks, self.divisions)
        return _named("linkability", risk) if risk else {}


def _named(name: str, risk: Risk) -> dict[str, float]:
    value, low, high = risk.interval
    scores = {"": value, "_low": low, "_high": high, "_attack": risk.rate}
    scores |= {"_control": risk.control, "_naive": risk.naive, "_used": risk.used}
    return {f"{name}{end}": score for end, score in scores.items()}
