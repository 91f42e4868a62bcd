"""Names of months and days of the week in the languages that files are written in."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_]+(?:-feira)?\.?")
# What a flag of a directive does with letters: %^b writes capitals, %-b small ones, %+b a capital first.
_CASES = {"": str, "^": str.upper, "-": str.lower, "+": str.capitalize}


@dataclass(frozen=True)
class Language:
    """Names in one language, Monday and January first.

    Parameters
    ----------
    names : dict of str to tuple of str
        By directive: months ``B`` and ``b``, days ``A`` and ``a``.
    """

    names: dict[str, tuple[str, ...]]

    def flag(self, words: Mapping[str, int], directive: str) -> tuple[int, str]:
        """Count how many of some words, with their counts, are names of a directive, and return the flag for them."""
        known = {name.casefold(): name for name in self.names[directive]}
        pairs = [(word, known[word.casefold()]) for word in words if word.casefold() in known]
        fits = [flag for flag, case in _CASES.items() if all(case(name) == word for word, name in pairs)]
        return sum(words[word] for word, _ in pairs), fits[0] if fits else ""

    def write(self, directive: str, places: Sequence[int]) -> list[str]:
        """Return the names at the given places, by a directive such as ``^b``."""
        case = _CASES[directive[:-1]]
        names = [case(name) for name in self.names[directive[-1]]]
        return [names[place] for place in places]

    def english(self, texts: Iterable[str], directives: Iterable[str]) -> list[str]:
        """Replace every name of some directives by the English one."""
        plain = {
            name.casefold(): english
            for key in directives
            for name, english in zip(self.names[key], LANGUAGES["en"].names[key], strict=True)
        }

        def replaced(word: re.Match) -> str:
            # A dot may belong to the name or follow it, as in 1.Mai.2020.
            bare = word[0].rstrip(".")
            known = plain.get(word[0].casefold())
            return known or plain.get(bare.casefold(), bare) + word[0][len(bare) :]

        return [_WORD.sub(replaced, text) for text in texts]


def _language(months: str, short: str, days: str, short_days: str) -> Language:
    parts = {"B": months, "b": short, "A": days, "a": short_days}
    return Language({key: tuple(names.split()) for key, names in parts.items()})


_EN = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday", "Mon Tue Wed Thu Fri Sat Sun"
_DE = "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag", "Mo Di Mi Do Fr Sa So"
_FR = "lundi mardi mercredi jeudi vendredi samedi dimanche", "lun mar mer jeu ven sam dim"
_ES = "lunes martes miércoles jueves viernes sábado domingo", "lun mar mié jue vie sáb dom"
_IT = "lunedì martedì mercoledì giovedì venerdì sabato domenica", "lun mar mer gio ven sab dom"
_PT = "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo", "seg ter qua qui sex sáb dom"
_NL = "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag", "ma di wo do vr za zo"
_MONTHS_DE = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
_MONTHS_FR = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
_MONTHS_ES = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"

# By the code that follows an @ in a format; a dot after it marks short names with dots.
LANGUAGES = {
    "en": _language(
        "January February March April May June July August September October November December",
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
        *_EN,
    ),
    "de": _language(_MONTHS_DE, "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez", *_DE),
    "de.": _language(
        _MONTHS_DE,
        "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
        _DE[0],
        "Mo. Di. Mi. Do. Fr. Sa. So.",
    ),
    "fr": _language(_MONTHS_FR, "jan fév mar avr mai jun jul aoû sep oct nov déc", *_FR),
    "fr.": _language(
        _MONTHS_FR,
        "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
        _FR[0],
        "lun. mar. mer. jeu. ven. sam. dim.",
    ),
    "es": _language(_MONTHS_ES, "ene feb mar abr may jun jul ago sep oct nov dic", *_ES),
    "es.": _language(
        _MONTHS_ES, "ene. feb. mar. abr. may. jun. jul. ago. sept. oct. nov. dic.", _ES[0], " ".join(_ES[1].split())
    ),
    "it": _language(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        *_IT,
    ),
    "pt": _language(
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago set out nov dez",
        *_PT,
    ),
    "nl": _language(
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
        *_NL,
    ),
}


def named(words: Iterable[str], directives: str, code: str | None = None) -> tuple[str, str, int]:
    """Return the directive that writes most of some words, the code of its language, and how many it writes.

    Parameters
    ----------
    words : iterable of str
    directives : str
        ``Bb`` for months, ``Aa`` for days of the week.
    code : str, optional
        The only language to look in.
    """
    counts, best = Counter(words), ("", "en", 0)
    for language in [code] if code else LANGUAGES:
        for directive in directives:
            count, flag = LANGUAGES[language].flag(counts, directive)
            if count > best[2]:
                best = flag + directive, language, count
    return best
