"""Hints in the names of columns, in a few languages; a hint alone never decides against the cells."""

import re

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z\u00df-\u00ff]+|\d+|[^\W\d_]+")
_IDENTIFIER = {
    *(
        "id",
        "ids",
        "identifier",
        "uuid",
        "guid",
        "key",
        "mrn",
        "ssn",
        "nhs",
        "iban",
        "account",
        "acct",
        "konto",
        "phone",
    ),
    *("telephone", "tel", "telefon", "mobile", "fax", "email", "mail", "passport", "licence", "license", "plate", "ip"),
    *("serial", "hash", "token", "url", "uri", "nummer", "patientnr", "kundennr", "login", "username", "patientid"),
    *("pid", "rowid", "recordid", "caseid", "subjectid", "customerid", "userid", "personid", "isbn", "vin", "imei"),
    *(
        "dossier",
        "expediente",
        "matricule",
        "matrícula",
        "matricula",
        "aktenzeichen",
        "fallnummer",
        "cpf",
        "cnpj",
        "dni",
    ),
    *("nif", "curp", "nhc", "bsn", "personnummer", "aadhaar"),
    *("card", "iccid", "编号", "电话", "身份证", "番号"),
}
# Persons, whose numbers are identifiers where the name has no other word: patient, Subject No; not patient age.
_PERSON = {
    *("patient", "subject", "participant", "respondent", "person", "customer", "client", "member", "employee", "case"),
    *("user", "student", "proband", "kunde"),
}
_NUMBER = {"no", "nr", "num", "number", "code", "ref"}
# Records, whose numbers are identifiers: Fall-Nr., invoice no; not the number of orders.
_RECORD = {
    *("fall", "akte", "auftrag", "auftrags", "rechnung", "rechnungs", "beleg", "vertrag", "vertrags", "versicherten"),
    *(
        "invoice",
        "policy",
        "contract",
        "claim",
        "ticket",
        "transaction",
        "booking",
        "receipt",
        "encounter",
        "accession",
    ),
}
_TEXT = {
    *("note", "notes", "comment", "comments", "remark", "remarks", "description", "text", "freetext", "narrative"),
    *("message", "feedback", "review", "notiz", "notizen", "bemerkung", "bemerkungen", "kommentar", "anmerkung"),
    *("anamnesis", "observation", "observations", "备注", "备考", "摘要"),
}
_CODE = {
    *("zip", "zipcode", "plz", "postcode", "postal", "postalcode", "postleitzahl", "fips", "naics", "icd", "icd9"),
    *("邮编", "郵便番号"),
}
_DATE = {
    *(
        "date",
        "datum",
        "fecha",
        "dob",
        "birth",
        "birthday",
        "birthdate",
        "born",
        "geburtsdatum",
        "geburtstag",
        "datetime",
    ),
    *("admission", "admitted", "discharge", "discharged", "日期", "生日"),
}
_WEEK = {"week", "weeks", "wk", "kw", "woche", "kalenderwoche", "semaine", "semana", "yearweek", "yyyyww"}
_BIRTH = {
    *("birth", "birthday", "birthdate", "dob", "born", "dateofbirth", "geburtsdatum", "geburtstag", "geboren", "geb"),
    *("naissance", "nacimiento", "nascita", "nascimento", "geboortedatum", "生日"),
}
_CLOCK = {
    *("time", "times", "clock", "hhmm", "uhr", "uhrzeit", "zeit", "hora", "horas", "heure", "heures", "horaire", "ora"),
    *("orario", "tijd", "tid", "klokkeslett", "arrival", "arrivals", "departure", "departures", "ankunft", "abfahrt"),
    *("abflug", "llegada", "salida", "时间", "時刻", "時間"),
}
_VERSION = {"version", "versions", "ver", "firmware"}
_STAMP = {"timestamp", "time", "created", "updated", "modified", "datetime", "date", "ts", "epoch"}
_COUNTED = {"year", "years", "month", "week", "day", "days", "hour", "age", "time", "jahr", "tag", "woche", "rank"}


def words(name: object) -> set[str]:
    """Split the name of a column into words of small letters."""
    text = str(name)
    return {word.casefold() for word in _WORDS.findall(text)} | {re.sub(r"[\W_]+", "", text).casefold()}


def of_identifier(name: object) -> bool:
    """Return whether a name means an identifier."""
    found = words(name)
    if found & _IDENTIFIER:
        return True
    # The name as a whole is among its words, too.
    rest = found - _NUMBER - {re.sub(r"[\W_]+", "", str(name)).casefold()}
    if found & _PERSON and not rest - _PERSON:
        return True
    return bool(rest and rest <= _RECORD and found & _NUMBER)


def of_code(name: object) -> bool:
    """Return whether a name means a code of digits, on which arithmetic makes no sense."""
    return bool(words(name) & _CODE)


def of_text(name: object) -> bool:
    """Return whether a name means free text."""
    return bool(words(name) & _TEXT)


def of_date(name: object) -> bool:
    """Return whether a name means a date."""
    found = words(name)
    return bool(found & _DATE) or any(word.endswith("datum") for word in found)


def of_week(name: object) -> bool:
    """Return whether a name means a week of a year."""
    return bool(words(name) & _WEEK)


def of_birth(name: object) -> bool:
    """Return whether a name means a date of birth."""
    return bool(words(name) & _BIRTH)


def of_clock(name: object) -> bool:
    """Return whether a name means a time of the day."""
    return any(word in _CLOCK or word.endswith(("time", "zeit")) for word in words(name)) and not of_identifier(name)


def of_version(name: object) -> bool:
    """Return whether a name means numbers of versions, such as 1.6.14, and not the dates of them."""
    return bool(words(name) & _VERSION) and not of_date(name)


def of_stamp(name: object) -> bool:
    """Return whether a name means a time stamp."""
    return bool(words(name) & _STAMP)


def of_count(name: object) -> bool:
    """Return whether a name means a quantity that may well run from one row to the next."""
    return bool(words(name) & _COUNTED)
