"""What identifiers look like in a report: patterns for text as written, each with the kind that takes its place.

Where a pattern has a group named for its kind, only that group is replaced ("Dr. [NAME]").
"""

import re

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|"
    r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:(?:19|20)\d\d|'\d\d)"
# A capitalised or all-capital word as it stands in names; particles may stand between two of them.
_CAP = r"(?-i:[^\W\d_a-zß-ÿ](?:[^\W\d_]|['’\-](?=\w))*\.?)"
_PERSON = rf"{_CAP}(?:(?:,\s?|\s)(?:(?:van|von|der|de|del|la|bin|al)\s){{0,2}}{_CAP}){{0,3}}"
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Terrace|Square|Sq|Highway|"
    r"Hwy|Parkway|Pkwy|Circle|Crescent|Close|Row|Gate|Mews)"
)
_PLACE = (
    r"(?:Hospital|Clinic|Medical\s(?:Center|Centre|Group|College)|Health\s(?:System|Center|Centre|Care)|Infirmary|"
    r"University|Klinikum|Hospice|Nursing\sHome|Institute|Imaging\sCent(?:er|re)|Pharmacy|Rehab)"
)
_STATES = (
    r"(?:AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|"
    r"OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC)"
)


def _pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(text, flags)


_I = re.IGNORECASE
RULES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("EMAIL", _pattern(r"\b[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+")),
    ("URL", _pattern(
        r"\b(?:https?|ftp)://\S+|\bwww\.\S+|\b[\w\-]+(?:\.[\w\-]+)*\.(?:com|org|net|edu|gov|io|info|de|"
        r"uk|ch)\b(?:/\S*)?", _I)),
    ("URL", _pattern(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])|\b(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}\b", _I)),
    ("ID", _pattern(r"(?<![\d.])\d+(?:\.\d+){5,}(?![\d.])")),
    ("DATE", _pattern(
        r"(?<![\d./])(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|"
        r"3[01])(?:T[\d:.]+Z?)?(?![\d/])")),
    ("DATE", _pattern(rf"(?<![\d./]){_DAY}([-/.]){_DAY}\1(?:(?:19|20)\d\d|\d\d)(?![\d/])")),
    ("DATE", _pattern(r"(?<![\d.])(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)")),
    ("DATE", _pattern(rf"\b{_MONTH}\s{_DAY}(?:st|nd|rd|th)?\b(?:,?\s{_YEAR}\b)?", _I)),
    ("DATE", _pattern(rf"\b{_DAY}(?:st|nd|rd|th)?(?:\s(?:of\s)?|-){_MONTH}(?:(?:,?\s|-){_YEAR}|-\d\d)?\b", _I)),
    ("DATE", _pattern(rf"\b{_MONTH}(?:\sof)?,?\s{_YEAR}\b", _I)),
    # Without a year a fraction looks the same (1/2, strength 5/5): a word before it tells.
    ("DATE", _pattern(
        r"\b(?:on|by|since|from|until|till|through|dated|date|compared\s(?:to|with)|study\sof)\b\s?:?\s?"
        r"(?P<DATE>(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01]))(?![\d/]|\s?(?:of|mm|cm))", _I)),
    ("DATE", _pattern(r"(?<![\d./-])(?:0?[1-9]|1[0-2])/(?:19|20)\d\d(?![\d/])")),
    ("DATE", _pattern(
        r"\b(?:in|since|of|from|circa|dated|year)\s(?P<DATE>(?:19|20)\d\d)\b(?!\s?(?:mm|ml|mg|cc|cm))", _I)),
    ("PHONE", _pattern(
        r"(?<![\w.])(?:\+\d{1,3}[\s.\-]?)?(?:\(\d{2,5}\)|"
        r"\d{2,5})[\s.\-/]\d{3,4}[\s.\-]\d{3,4}(?:\s?(?:x|ext\.?)\s?\d{1,5})?(?![\w])", _I)),
    ("PHONE", _pattern(r"(?<![\w.])\(\d{2,5}\)\s?\d{3}[\s.\-]?\d{3,4}(?![\w])")),
    ("PHONE", _pattern(r"(?<![\w.])\+\d[\d\s().\-]{7,}\d")),
    ("PHONE", _pattern(
        r"\b(?:tel|phone|fax|pager|beeper|mobile|cell|call|contact|"
        r"dial)\b[^\d\n]{0,24}(?P<PHONE>[\d(+][\d\s().\-/]{3,}\d(?:\s?x\s?\d{1,5})?)", _I)),
    ("ID", _pattern(r"(?<![\w.\-])\d{3}-\d{2}-\d{4}(?![\w])")),
    ("ID", _pattern(r"(?<![\w.])(?:\d[ \-]?){12,18}\d(?![\w.])")),
    ("ID", _pattern(
        r"\b(?:MRN|medical\srecord(?:\s(?:number|no))?|patient\s(?:id|number|no)|record\s(?:number|no)|"
        r"accession(?:\s(?:number|no))?|"
        r"acc(?:ession)?\s?#|case\s?#?|account|acct|SSN|NHS\s(?:number|no)|ID|chart|license|licence|"
        r"policy|unit\s(?:no|number)|order|HCS|room|"
        r"passport|unit|bed)\b\s?(?:number|no)?\.?\s?(?:#|:|is|"
        r"=)?\s?(?P<ID>#?(?=[\w\-]*\d)[A-Z0-9][\w\-/]{2,})", _I)),
    ("ID", _pattern(r"(?<![\w.,/\-])\d{6,}(?![\w.,]*\d)(?!\s?(?:mm|cm|ml|mg|g|hu|/ul)\b)", _I)),
    ("ID", _pattern(
        r"\b(?=[A-Z0-9\-]*\d[A-Z0-9\-]*\d[A-Z0-9\-]*\d[A-Z0-9\-]*\d)(?=[A-Z0-9\-]*[A-Z])"
        r"[A-Z0-9]+(?:-[A-Z0-9]+)*\b")),
    ("AGE", _pattern(
        r"\b(?P<AGE>(?:9\d|1[0-4]\d))(?=[\s\-]?(?:years?[\s\-]?old|year[\s\-]old|y\.?\s?/?o\.?\b|yrs?\b|"
        r"years\sof\sage|yo[mf]?\b))", _I)),
    ("AGE", _pattern(r"\b(?:age|aged|age\sof)\b\s?:?\s?(?P<AGE>(?:9\d|1[0-4]\d))\b", _I)),
    ("ADDRESS", _pattern(
        rf"\b\d{{1,6}}[A-Z]?\s(?:{_CAP}\s){{1,4}}{_STREET}\b\.?(?:,?\s(?:Apt|Suite|Ste|Unit|#)\.?\s?\w+)?")),
    ("ADDRESS", _pattern(rf"\b(?:{_CAP}\s?){{1,3}},\s?{_STATES}\b(?:,?\s\d{{5}}(?:-\d{{4}})?)?")),
    ("ADDRESS", _pattern(rf"\b{_STATES},?\s\d{{5}}(?:-\d{{4}})?\b")),
    ("ADDRESS", _pattern(r"\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b|\b[A-Z]\d[A-Z]\s\d[A-Z]\d\b")),
    ("ADDRESS", _pattern(r"\bP\.?\s?O\.?\s?Box\s\d+\b", _I)),
    ("ADDRESS", _pattern(r"\b(?:zip|postal|post)\s?code\b\s?:?\s?(?P<ADDRESS>[\w\-]{3,9}(?:\s\d[A-Z]{2})?)", _I)),
    ("ADDRESS", _pattern(r"\b(?:home\s)?address\b\s?(?::|is)\s?(?P<ADDRESS>\d[^.\n;]{4,80})", _I)),
    ("PLACE", _pattern(rf"(?<!\w)(?:{_CAP}\s){{1,4}}{_PLACE}\b(?:\sof\s{_CAP})?")),
    ("PLACE", _pattern(rf"\b(?:University|Hospital)\sof\s(?:{_CAP}\s?){{1,3}}")),
    ("NAME", _pattern(
        rf"\b(?:Dr|Drs|Prof|Mr|Mrs|Ms|Miss|Mx|Sir|Doctor|Professor|Nurse|Sister)\b\.?\s(?P<NAME>{_PERSON})", _I)),
    ("NAME", _pattern(
        rf"\b(?P<NAME>{_PERSON}),?\s(?:M\.?D|D\.?O|R\.?N|Ph\.?D|MBBS|FRCR|N\.?P|P\.?A-C|DDS|MSN|LPN|"
        rf"R\.?T)\b\.?")),
    ("NAME", _pattern(
        r"\b(?:patient(?:'s)?\s?name|name\sof\spatient|name|pt|patient|surname|dictated\s(?:by|for)|"
        r"signed(?:\selectronically)?(?:\sby)?|"
        r"read\sby|reported\sby|interpreted\sby|attending(?:\s\w+)?|physician|referr(?:ed|"
        r"ing)(?:\s\w+)?(?:\sby)?|radiologist|technologist|"
        r"resident|cc|discussed\swith|communicated\sto|requested\sby|by|son|daughter|wife|husband|"
        r"mother|father|brother|sister)"
        rf"\s?(?::|=)\s?(?P<NAME>{_PERSON})", _I)),
    ("NAME", _pattern(
        r"\b(?:(?:dictated|signed|read|reported|interpreted|reviewed|verified|requested|performed|seen|"
        r"ordered)\s(?:electronically\s)?by|"
        r"discussed\swith|communicated\sto|spoke\s(?:with|to)|my\sname\sis|I\sam|name\sis|(?:his|"
        r"her)\s(?:son|daughter|wife|husband|mother|father|"
        rf"brother|sister)),?\s(?!(?:the|dr|doctor|CT|MRI?|PET|US)\b)(?P<NAME>{_PERSON})", _I)),
)  # fmt: skip
"""Order does not matter: overlapping finds become one."""

_AMBIGUOUS = """
an april august back baker ball banks be bell berry best bill bishop black bond bone book box branch bright brooks
brown burns bush camp cane carter case chance chase church cloud coffin cole cook cope cord cox craft cross crow
dare day dean dial do duke early east fair field fine fish fisher flowers foot ford fox frank free french frost gay
gold good goodman grant gray green grey guy hand he head heart hill hope house hunter in ivory joy june kidney king
knight lake lane large law left light little long loss love low ma major mark marrow mason may mild miller mills
mist moody moon moss no noble normal north old on page pain park parks patch per pike poole pope pore porter powers
price rain reed rib rich ridge right rivers root rose rush sand savage self sells shaft sharp she short side singer
single slaughter small snow so south spear spine stern stone storm strong summers sweet swift tall temple tight tip
to true valve walker wall ware waters weaver wells west white will winters wise wolf wood worth young
"""
AMBIGUOUS = frozenset(_AMBIGUOUS.split())
"""Names that are also words: in lower case they are taken for the word."""

_NAME_PARTS_LEFT_OUT = """
anon anonymous do dr ii iii iv jr md mr mrs ms n/a na none null patient phd prof rn sr test unknown
"""
NAME_PARTS_LEFT_OUT = frozenset(_NAME_PARTS_LEFT_OUT.split())
"""Parts of a DICOM name that identify nobody."""

_KNOWN_WORDS = """
a abdomen acute address alzheimer an aorta aortic april august baker bilateral bosniak brain cardiac care chest
chiari chronic clinical cobb comparison computed consolidation contrast crohn date december department dobhoff
doppler down effusion effusions emergency english exam examination february findings foley friday ganz ghon gleason
head heart hickman history hodgkin hounsfield id imaging impression indication intensive january july june kerley
kidney kidneys left liver lobe lobes lower lung lungs luschka magnetic march may mediastinal mediastinum middle mild
moderate monday monro name neck new nissen no normal november october old pancreas parkinson pelvis phone place
pleural pneumothorax portable previous prior radiograph radiology report resonance right saturday september severe
spanish spine spleen stable sunday swan sylvian technique the there thursday tomography tuesday ultrasound unchanged
unit upper view views virchow wednesday willis
"""
KNOWN_WORDS = frozenset(_KNOWN_WORDS.split())
"""Words that reports write with capital letters, eponyms included."""
