"""Tables of dates, time stamps, times of the day and lengths of time."""

import numpy as np
import pandas as pd

from benchmarks.cases.made.base import ROWS, days, gaps, made, outcome, texts


@made("mixed_dates")
def _mixed_dates(rng):
    found = days(rng)
    forms = rng.choice(["%Y-%m-%d", "%d/%m/%Y"], ROWS, p=[0.7, 0.3])
    return pd.DataFrame(
        {"seen": [d.strftime(f) for d, f in zip(found, forms, strict=True)], "n": rng.poisson(3, ROWS)}
    ).assign(y=outcome(rng))


@made("month_first")
def _month_first(rng):
    start = days(rng)
    end = start + pd.to_timedelta(rng.integers(1, 15, ROWS), unit="D")
    return pd.DataFrame({"start": start.strftime("%m/%d/%Y"), "end": end.strftime("%m/%d/%Y"), "y": outcome(rng)})


@made("weeks_between")
def _weeks(rng):
    first, weeks = days(rng), rng.integers(20, 43, ROWS)
    birth = first + pd.to_timedelta(weeks * 7, unit="D")
    frame = {"lmp": first.strftime("%Y-%m-%d"), "birth": birth.strftime("%Y-%m-%d"), "gestation_weeks": weeks}
    return pd.DataFrame(frame).assign(preterm=np.where(weeks < 37, "yes", "no"))


@made("negative_durations")
def _negative(rng):
    minutes = rng.integers(-40, 120, ROWS)
    delay = [f"{'-' * int(m < 0)}{abs(m) // 60:02d}:{abs(m) % 60:02d}" for m in minutes]
    return pd.DataFrame({"delay": delay, "km": rng.gamma(3, 10, ROWS).round(1), "y": outcome(rng, minutes / 60)})


@made("over_midnight")
def _midnight(rng):
    begin, length = rng.integers(18 * 60, 24 * 60, ROWS), rng.integers(240, 600, ROWS)
    end = (begin + length) % 1440
    clock = "{0[0]:02d}:{0[1]:02d}".format
    return pd.DataFrame(
        {"bed": [clock(divmod(m, 60)) for m in begin], "up": [clock(divmod(m, 60)) for m in end], "slept_min": length}
    ).assign(tired=outcome(rng, (400 - length) / 80))


@made("zone_unknown")
def _zone(rng):
    stamps = days(rng) + pd.to_timedelta(rng.integers(0, 86400, ROWS), unit="s")
    frame = {"seen": stamps.strftime("%Y-%m-%d %H:%M:%S IST"), "sent": stamps.strftime("%d/%m/%Y %H:%M GMT+2")}
    return pd.DataFrame({**frame, "x": rng.normal(size=ROWS).round(3), "y": outcome(rng)})


@made("zone_bracket")
def _bracket(rng):
    stamps = days(rng) + pd.to_timedelta(rng.integers(0, 86400, ROWS), unit="s")
    local = stamps.tz_localize("UTC").tz_convert("Europe/Berlin")
    cells = [
        f"{t.strftime('%Y-%m-%dT%H:%M:%S')}{t.strftime('%z')[:3]}:{t.strftime('%z')[3:]}[Europe/Berlin]" for t in local
    ]
    return pd.DataFrame({"seen": cells, "x": rng.normal(size=ROWS).round(3), "y": outcome(rng)})


@made("quarters")
def _quarters(rng):
    found = days(rng)
    return pd.DataFrame(
        {"quarter": [f"{d.year}-Q{d.quarter}" for d in found], "month": found.strftime("%b %Y"), "year": found.year}
    ).assign(y=outcome(rng))


@made("dates_in_three_forms")
def _three(rng):
    forms = rng.choice(["%Y-%m-%d", "%d/%m/%Y", "%b %d, %Y"], ROWS, p=[0.5, 0.3, 0.2])
    cells = [d.strftime(f) for d, f in zip(days(rng), forms, strict=True)]
    return pd.DataFrame({"visit": cells, "x": rng.normal(size=ROWS).round(2), "y": outcome(rng)})


@made("two_digit_years")
def _two(rng):
    birth = days(rng, "1931-01-01", 32_000)
    return pd.DataFrame({"dob": birth.strftime("%m/%d/%y"), "seen": days(rng).strftime("%d-%b-%y"), "y": outcome(rng)})


@made("epochs")
def _epochs(rng):
    seconds = days(rng).astype("int64") // 10**9 + rng.integers(0, 86_400, ROWS)
    return pd.DataFrame(
        {
            "timestamp": seconds * 1000 + rng.integers(0, 1000, ROWS),
            "created": seconds,
            "updated_at": (seconds + rng.integers(60, 9_000, ROWS)) * 1_000_000,
            "time": texts(seconds + rng.integers(0, 999, ROWS) / 1000, "{:.3f}"),
            "y": outcome(rng),
        }
    )


@made("times_alone")
def _alone(rng):
    minutes = rng.integers(0, 1440, ROWS)
    clock = pd.to_datetime(minutes, unit="m")
    return pd.DataFrame(
        {
            "start": clock.strftime("%H:%M:%S"),
            "half": clock.strftime("%I:%M %p"),
            "Uhr": clock.strftime("%H:%M Uhr"),
            "dotted": clock.strftime("%H.%M"),
            "y": outcome(rng, minutes / 720 - 1),
        }
    )


@made("partial_dates")
def _partial(rng):
    d = days(rng, "1990-01-01", 9_000)
    forms = rng.choice(["%Y-%m-%d", "%Y-%m", "%Y"], ROWS, p=[0.6, 0.25, 0.15])
    unknown = rng.choice(["%Y-%m-%d", "%Y-%m-??", "%Y-00-00"], ROWS, p=[0.8, 0.1, 0.1])
    return pd.DataFrame(
        {
            "diagnosed": [t.strftime(f) for t, f in zip(d, forms, strict=True)],
            "onset": [t.strftime(f) for t, f in zip(d, unknown, strict=True)],
            "y": outcome(rng),
        }
    )


@made("open_ends")
def _open(rng):
    begin = days(rng)
    end = begin + pd.to_timedelta(rng.integers(30, 900, ROWS), unit="D")
    return pd.DataFrame(
        {
            "valid_from": begin.strftime("%Y-%m-%d"),
            "valid_to": gaps(rng, end.strftime("%Y-%m-%d"), 0.4, "9999-12-31"),
            "last_login": gaps(rng, end.strftime("%Y-%m-%d"), 0.2, "1900-01-01"),
            "never": gaps(rng, days(rng, "2010-01-01").strftime("%Y-%m-%d"), 0.2, "0000-00-00"),
            "y": outcome(rng),
        }
    )


@made("old_dates")
def _old(rng):
    birth = pd.Timestamp("1780-01-01") + pd.to_timedelta(rng.integers(0, 50_000, ROWS), unit="D")
    death = birth + pd.to_timedelta(rng.integers(300, 33_000, ROWS), unit="D")
    return pd.DataFrame(
        {"born": birth.strftime("%d.%m.%Y"), "died": gaps(rng, death.strftime("%d.%m.%Y"), 0.1), "y": outcome(rng)}
    )


@made("stamps_with_fractions")
def _fractions(rng):
    stamp = days(rng) + pd.to_timedelta(rng.integers(0, 86_400_000_000, ROWS), unit="us")
    return pd.DataFrame(
        {
            "micro": stamp.strftime("%Y-%m-%d %H:%M:%S.%f"),
            "iso": stamp.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00"),
            "milli": [t.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" for t in stamp],
            "us": stamp.strftime("%m/%d/%Y %I:%M:%S %p"),
            "y": outcome(rng),
        }
    )


@made("lengths")
def _lengths(rng):
    minutes = rng.integers(1, 900, ROWS)
    return pd.DataFrame(
        {
            "runtime": texts(minutes, "{} min"),
            "lap": [f"{m // 60}:{m % 60:02d}.{rng.integers(100):02d}" for m in minutes],
            "words": [f"{m // 60} h {m % 60:02d} min" for m in minutes],
            "since": rng.choice(["3 days ago", "2 weeks ago", "1 month ago"], ROWS),
            "age": [f"{v} months" if v < 24 else f"{v // 12} years" for v in rng.integers(1, 90, ROWS)],
            "y": outcome(rng),
        }
    )


@made("periods")
def _periods(rng):
    d = days(rng)
    return pd.DataFrame(
        {
            "fiscal": [f"FY{t.year}/{(t.year + 1) % 100:02d}" for t in d],
            "quarter": [f"Q{t.quarter} {t.year}" for t in d],
            "KW": [f"KW {t.week:02d}/{t.year}" for t in d],
            "season": d.month.map({1: "winter", 4: "spring", 7: "summer"}).fillna("autumn"),
            "month": d.strftime("%B"),
            "yyyymm": d.strftime("%Y%m").astype(int),
            "y": outcome(rng),
        }
    )
