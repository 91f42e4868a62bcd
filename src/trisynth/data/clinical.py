"""Readers of two medical studies: their selection of people and columns, without those that reveal the target."""

from pathlib import Path

import pandas as pd

from trisynth.data.readers import Labels, delimited, labelled
from trisynth.places import reader

FRAMINGHAM = {
    "SEX": "sex",
    "AGE": "age",
    "educ": "education",
    "BMI": "bmi",
    "GLUCOSE": "glucose",
    "TOTCHOL": "cholesterol",
    "SYSBP": "systolic_bp",
    "DIABP": "diastolic_bp",
    "HEARTRTE": "heart_rate",
    "CURSMOKE": "smoker",
    "CIGPDAY": "cigarettes_per_day",
    "DIABETES": "diabetes",
    "BPMEDS": "bp_medication",
    "PREVHYP": "hypertension",
}

SUPPORT2 = {
    "age": "age",
    "sex": "sex",
    "race": "race",
    "edu": "education",
    "income": "income",
    "num.co": "comorbidities",
    "diabetes": "diabetes",
    "dementia": "dementia",
    "scoma": "coma_score",
    "sps": "support_physiology_score",
    "aps": "apache_score",
    "hday": "hospital_day",
    "meanbp": "mean_bp",
    "wblc": "white_cells",
    "hrt": "heart_rate",
    "resp": "respiration",
    "temp": "temperature",
    "pafi": "oxygenation",
    "alb": "albumin",
    "bili": "bilirubin",
    "crea": "creatinine",
    "sod": "sodium",
    "ph": "arterial_ph",
    "glucose": "glucose",
    "bun": "urea_nitrogen",
    "urine": "urine_output",
    "adlp": "adl_patient",
    "adls": "adl_surrogate",
    "adlsc": "adl_calibrated",
    "dzgroup": "diagnosis",
}


@reader
def framingham(path: str | Path, labels: Labels | None = None) -> pd.DataFrame:
    """Read baseline visits of the Framingham teaching data, with the first diagnosis of the follow-up.

    Kept are first visits of people without coronary disease or stroke so far, so that the label is about the
    future and is not defined by the inputs. It is the first that holds of stroke, mi (infarction or fatal
    coronary disease), angina (any other coronary disease) and none.

    Parameters
    ----------
    path, labels
        As in :func:`trisynth.data.readers.delimited`.

    Returns
    -------
    DataFrame of str
        One row a person; columns from follow-up (outcomes, ``TIME*``) and bookkeeping are left out.
    """
    visits = delimited(path)
    people = visits[(visits["PERIOD"] == "1") & (visits["PREVCHD"] == "0") & (visits["PREVSTRK"] == "0")]
    diagnosis = pd.Series("none", index=people.index)
    for outcome, name in {"ANYCHD": "angina", "MI_FCHD": "mi", "STROKE": "stroke"}.items():
        diagnosis[people[outcome] == "1"] = name
    baseline = people[list(FRAMINGHAM)].rename(columns=FRAMINGHAM).assign(diagnosis=diagnosis)
    return labelled(baseline.reset_index(drop=True), labels)


@reader
def support2(path: str | Path, labels: Labels | None = None) -> pd.DataFrame:
    """Read the patients of the SUPPORT study (Knaus et al. 1995) with values known by the third day of the study.

    Outcomes, survival estimates (the study's and the physicians'), resuscitation orders, costs, the average
    intensity of care and the patient's number are left out, since they are recorded later or mean nothing; so
    are the coarser diagnosis class and the cancer status, which repeat the target (every patient of the two
    cancer groups has metastases, by the study's terms of entry).

    Parameters
    ----------
    path, labels
        As in :func:`trisynth.data.readers.delimited`.

    Returns
    -------
    DataFrame of str
    """
    return labelled(delimited(path)[list(SUPPORT2)].rename(columns=SUPPORT2), labels)
