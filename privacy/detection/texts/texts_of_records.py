# ruff: noqa: E501 - a pattern reads better unbroken
"""What records hold of people: values of fields that are about somebody, columns of tables, postal addresses.

Here: `surname: …`, `"postalCode": "…"`, `<zip>…</zip>`, the rows below a header such as `name,email,city`,
addresses by the forms of several countries. Not here: identifiers that have a format of their own
(`formats`), sentences (`logs`, `chat`).
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from privacy.detection.texts.forms import form_findings, label_kind, label_words
from privacy.detection.vocabulary.findings import Finding
from privacy.detection.vocabulary.lexicon import is_given_name, is_program_word, word_list

_NAMES = (
    r"sur_?names?|fore_?names?|(?:first|last|full|middle|maiden|family|given|birth|legal|preferred|father|mother|spouse|patient|client|guest|customer|contact|cardholder|account holder)[ _-]?names?|"
    r"(?:card|account|policy|ticket|visa|permit|licen[cs]e)?[ _-]?holder|registered keeper|keeper|applicant|claimant|complainant|beneficiary|requester|assignee|guardian|spouse|next of kin|"
    r"emergency contact|(?:attending )?(?:physician|doctor)|prescriber|attn|attention|employee|staff(?: member)?|student|teacher|tenant|landlord|passenger|travell?er|subscriber|director|signatory|"
    r"taxpayer|insured|policyholder|payee|payer|donor|witness|defendant|plaintiff|visitor|resident|"
    r"nombre(?: completo)?|apellidos?|titular|cliente|paciente|nom|pr[ée]nom|patiente?|vorname|nachname|kunde|versicherte(?: person)?|steuerpflichtiger|cognome|nome|intestatario|"
    r"imi[eę] i nazwisko|imi[eę]|nazwisko|filia[cç][aã]o|signed by|fn|cn|sn|submitted by|prepared by|reported by"
)
_PLACES = (
    r"zip(?:[ _-]?code)?|post(?:al)?[ _-]?code|postcode|plz|cep|code postal|street(?:[ _-]?(?:name|address|line\d?))?|address(?:[ _-]?(?:line)?[ _-]?\d)?|(?:home|mailing|billing|shipping|delivery|postal|street)[ _-]address|"
    r"addr(?:ess)?_?\d|domicilio|adresse?|direcci[oó]n|endere[cç]o|indirizzo|wohnort|ort|stadt|comuna|ciudad|ville|cidade|town|county|province|district|hometown|place of birth|birth[ _-]?place|lieu de naissance|geburtsort|"
    r"lat(?:itude)?|lon(?:gitude)?|lng"
)
_NUMBERS = (
    r"dob|d\.o\.b\.?|date[ _-]of[ _-]birth|birth[ _-]?date|birthday|birthDate|geburtsdatum|fecha de nacimiento|date de naissance|data di nascita|"
    r"mrn|medical[ _-]record(?:[ _-](?:no|number))?|national[ _-]id|subject[ _-]id|member[ _-]?id|insured[ _-]?(?:no|id)|insurance[ _-]?(?:no|number|id)|policy[ _-]?(?:no|number)|license[ _-]?plate|plate|vin|imei|"
    r"sort[ _-]?code|routing[ _-]?(?:no|number)|account[ _-]?(?:no|number)|cvv|cvc|pan|ein|upi|ifsc|swift|bic|employee[ _-]?(?:id|no)|student[ _-]?(?:id|no)|case[ _-]?(?:no|number)|passport[ _-]?(?:no|number)?|wallet"
)
_LABEL = rf"(?P<key>{_NAMES}|{_PLACES}|{_NUMBERS})"
_FIELD = re.compile(
    rf"(?i:(?<![^\W_]){_LABEL})(?:\s?(?:no|nr|n[°º]|id)\.?)?"
    r"(?P<join>[\"'`]?\s{0,2}(?::(?!:)|=(?!=)|>)\s{0,3}[\"'`\[]{0,2}|\s{0,2}\|\s{0,2}[\"']?)"
    r"(?P<hit>(?<=[\"'`])[^\"'`\n<>]{1,120}|[^\s\"'`,;|<>&=\n\t{}\[\]()](?:[^\"'`,;|<>&=\n\t{}\[\]()]{0,80}?(?=\s+[\w.-]+[=:]|[\"'`,;|<>&\n\t{}\[\]()]|\s-\s|(?<!Dr)(?<!St)\.\s|\.?\Z))?)"
)
_QUOTED_ONLY = re.compile(
    r"(?P<key>\"(?:family|given|line|text|display|first|last|middle|owner|reporter|who)\")\s*:\s*\[?\s*\"(?P<hit>[^\"\n]{1,120})\""
)
_POSTCODE = re.compile(
    r"(?i:\b(?:zip(?: code)?|post ?code|postal code|plz|cep)\s(?:is\s|was\s)?)(?P<hit>(?=[A-Z\d -]*[\d\x01])[A-Z\d\x01]{2,5}(?:[ -][A-Z\d\x01]{2,4})?)\b"
)
_NOTHING = frozenset(
    "none null nil true false unknown n/a na yes no ok empty missing invalid required".split()
)
# `Forwarding address for <name>: …`.
_ADDRESS_OF = re.compile(r"(?i:address\s(?:for|of))\s[^:;\n]{2,60}:\s(?P<hit>[^;\n|]{3,80})")
# What stands behind a label in a text of `key=value` without quotes: `area=Al Barsha rent=85000`.
_BARE_PAIR = re.compile(
    r"(?<![\w.-])(?P<key>[A-Za-z][\w.-]{1,30})=(?P<hit>[A-ZÀ-ÞĀ-ɏ][^\s=,;&|\"']*(?: [^\s=,;&|\"']+){0,5}?)(?=\s+[A-Za-z][\w.-]*=|\s*\Z)"
)
_DIRECTORY = re.compile(
    r"(?<![\w.-])(?:CN|O|L|STREET|SN|GN|cn|sn|gn|givenName|mail)=(?P<hit>[^,=\n\"']{2,80})(?=,\s?[A-Za-z]{1,10}=|\Z)"
)

_CAP = r"[A-ZÀ-ÞĀ-ɏ][\w'\u2019.-]*"
_AFTER_CITY = rf"(?:[ -](?:{_CAP}|la|le|les|de|del|di|du|am|an|im|der|do|da|sur|sous))*"
_ROAD = (
    r"(?i:rue|avenue|av\.|boulevard|bd|place|chemin|all[ée]e|impasse|quai|route|via|viale|piazza|corso|calle|c/|avenida|avda\.?|paseo|plaza|"
    r"rua|travessa|largo|pra[cç]a|ul\.|ulica|aleja|al\.|os\.|str\.|stra[dß]a|bulevardul|utca|n[áa]m[ěe]st[íi]|t[řr][íi]da|ulice)"
)
ADDRESSES = re.compile(
    # United Kingdom, Canada, Ireland: postcodes by themselves.
    r"(?P<hit>\b(?:[A-PR-UWYZ][A-HK-Y]?\d[A-Z\d]?\s?\d[ABD-HJLNP-UW-Z]{2}|[ABCEGHJ-NPRSTVXY]\d[A-Z]\s\d[A-Z]\d|[AC-FHKNPRTV-Y]\d[\dW]\s(?=[A-Z\d]*[A-Z])[AC-FHKNPRTV-Y\d]{4})\b"
    # United States: city, state and code; its forces.
    rf"|\b(?:\d{{1,6}}[A-Za-z]?\s[^\n,;:=|]{{3,40}},\s(?:[^\n,;:=|]{{2,30}},\s)?)?(?:{_CAP}\s){{0,2}}{_CAP},?\s(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])\s\d{{5}}(?:-\d{{4}})?\b"
    r"|\b(?:Unit|PSC|USS|USNS|USNV|USCGC)\s[\w ]{1,30}?,?\s(?:[AFD]PO)\sA[AEP]\s\d{5}\b"
    # Street, code and town.
    rf"|(?<![\w\"'])[^\s,;:=\"'|][^\n,;:=\"'|]{{2,40}},\s(?:[A-Z]{{1,2}}-)?(?:\d{{5}}|\d{{2,3}}[ -]\d{{2,3}}|\d{{4}}(?:\s[A-Z]{{2}})?)\s{_CAP}{_AFTER_CITY}"
    # A line of its own: number and road.
    rf"|^\d{{1,5}}[A-Za-z]?\s(?:{_CAP}\s){{1,3}}{_CAP}$)",
    re.MULTILINE,
)
# Compounds that end in a road's word, streets with `No`, boxes at the post: `Mühlgasse 9/12`, `Storgata 44`.
_COMPOUND_ROADS = re.compile(
    r"(?<![\w/.-])(?P<hit>[A-ZÀ-ÞĀ-ɏ][\w'\u2019-]*(?:gasse|stra(?:ß|ss)e|str\.|weg|platz|allee|ufer|ring|damm|steig|gata|gatan|gränd|vägen|väg|vej|veien|veg|gade|straat|laan|plein|gracht|kade|dijk|steeg|katu|tie|kuja|polku|iela|gatvė|tänav|utca|braut|stígur|vegur)"
    r",?\s[\d\x01]{1,5}(?:\s?[a-zA-Z](?!\w))?(?:[/-][\d\x01]{1,4}){0,3}"
    r"|(?:[A-ZÀ-ÞĀ-ɏ][\w'\u2019-]*\s){1,4}(?i:caddesi|cad\.|sokak|sokağ\u0131|sk\.|bulvar\u0131|mahallesi|mah\.|jalan|jl\.|marg|nagar|chowk|ko'chasi|utca|út|tér|körút|gata|katu|vei|vej|väg|street|road|lane|avenue|drive|close|terrace|crescent|gardens|grove)(?:\.?,?\s(?i:no\.?\s?:?\s?|nr\.?\s?)?[\d\x01]{1,5}[a-zA-Z]?(?:[/-][\d\x01]{1,4})*)(?:,?\s(?i:d|kat|daire|k)\s?[:.]?\s?[\d\x01]{1,4})?"
    r"|(?:Flat|Apt\.?|Apartment|Unit|Suite|Plot|Lot|Stand|Block|Blk|Villa|House|Door)\s[\d\x01]{1,4}[A-Z]?(?:,\s[A-ZÀ-ÞĀ-ɏ][\w'\u2019-]+(?:\s[A-ZÀ-ÞĀ-ɏ][\w'\u2019-]+){0,2}(?=[\n,;]|\Z)|(?=,))"
    r"|(?i:p\.?\s?o\.?\s?box|postfach|postbus|apartado(?: de correos)?|caixa postal|casella postale|bo[iî]te postale|b\.p\.|skrytka pocztowa|postboks|box)\s[\d\x01][\d\x01 -]{0,10}[\d\x01]?)"
)
# A road by its word, with the number, which is a format, before or after it.
_OF = r"(?:(?:de|des|du|da|das|do|dos|del|della|la|las|los|le|les|l')\s?)*"
ROADS = re.compile(
    rf"(?<![\w/.-])(?P<hit>[\d\x01]{{1,5}},?\s{_ROAD}\s{_OF}{_CAP}(?:[ -]{_CAP})*|{_ROAD}\s{_OF}{_CAP}(?:\s{_CAP})*,?\s[\d\x01]{{1,5}})"
)
ROAD_WORDS = frozenset(
    """rue avenue av boulevard bd place chemin allée allee impasse quai route via viale piazza corso calle avenida avda paseo plaza rua travessa largo praça praca ul ulica
    aleja al os str strada straßa bulevardul utca náměstí namesti třída trida ulice""".split()
)
ADDRESS_SIGN = r"(?=[\dA-Z,])(?:\d[A-ZW](?:[A-Z]\b|\s\d)|[A-Z]\d[\dW]\s[A-Z\d]{4}\b|[A-Z]{2}\s\d{5}|,\s(?:[A-Z]{1,2}-)?\d{2}|^\d{1,5}\s[A-Z])"
"""What a text must hold before `ADDRESSES` is tried."""
_SIGN = re.compile(ADDRESS_SIGN, re.MULTILINE)

# A word that ends so must stand in a text before these are tried.
_ROAD_ENDINGS = tuple(
    """gasse straße strasse str weg platz allee ufer ring damm steig gata gatan gränd väg vägen vej veien veg gade straat laan plein gracht kade dijk steeg katu tie kuja
    polku iela gatvė tänav utca braut stígur vegur vei caddesi cad sokak sokağ\u0131 sk bulvar\u0131 mahallesi mah jalan jl marg nagar chowk chasi út tér körút street road lane avenue drive
    close terrace crescent gardens grove box postfach postbus apartado correos postal postale pocztowa postboks flat apt apartment unit suite plot lot stand block blk villa house door""".split()
)
_SEPARATORS = (",", ";", "\t", "|")
_HEADER = re.compile(r"[\w \"'.#/-]{1,40}\Z")
_COLUMN = re.compile(
    rf"(?i:(?:{_NAMES}|{_PLACES}|{_NUMBERS}|name|given|family|first|last|nick(?:name)?|user(?:name)?|city|country|school|employer|company|e-?mail|phone|ext(?:ension)?|mobile|tel|ssn|age|gender_?identity|(?:patient|member|student|employee|customer|user|client|subject)?[ _-]?(?:id|no|number)|diagnosis|notes?|comment)\Z)"
)
_FEWEST_CELLS = 2


def record_findings(text: str, words: frozenset[str]) -> list[Finding]:
    """Values, cells and roads in a text without its formats; `words` are its words in lower case."""
    found = [] if _LABEL_WORDS.isdisjoint(words) else _fields(text)
    if not ROAD_WORDS.isdisjoint(words):
        found += [Finding(m.start("hit"), m.end("hit"), "address") for m in ROADS.finditer(text)]
    if "\x01" in text and any(map(_ends_as_a_road, words)):
        found += [
            Finding(m.start("hit"), m.end("hit"), "address") for m in _COMPOUND_ROADS.finditer(text)
        ]
    found += form_findings(text, words)
    if "address" in words and ": " in text:
        found += [Finding(*m.span("hit"), "address") for m in _ADDRESS_OF.finditer(text)]
    if "=" in text and not label_words().isdisjoint(words):
        found += [
            Finding(m.start("hit"), m.end("hit"), "value")
            for m in _BARE_PAIR.finditer(text)
            if label_kind(m["key"]) in {"names", "places"} and _is_of_somebody(m["hit"])
        ]
    if "," in text and any(part in text for part in _PARTS_OF_A_DIRECTORY):
        found += [Finding(m.start("hit"), m.end("hit"), "value") for m in _DIRECTORY.finditer(text)]
    if "\n" in text:
        return [*found, *_cells(text), *_block(text)]
    return found + _cells(text) if _may_be_a_row(text) else found


# Three to six short lines without fields, one of which holds a postcode before or behind a town.
_BLOCK_LINE = re.compile(r"(?:[^\n:=;|\t{}<>\"@\[\]]|(?<=[Nn][Oo]):){2,60}\Z")
_CODE_LINE = re.compile(
    rf"(?:[A-Z]{{1,2}}[- ])?[\d\x01]{{2,6}}(?:[ -][\d\x01]{{2,4}}|[ ]?[A-Z]{{2}})?,?\s{_CAP}|{_CAP}[^\n]*[ ,][\d\x01]{{3,6}}(?:[ -][\d\x01]{{2,4}})?\Z|[\d\x01][\d\x01 -]{{2,8}}\Z"
)
_LINES_OF_A_BLOCK = (3, 7)


@lru_cache(maxsize=20_000)
def _ends_as_a_road(word: str) -> bool:
    return word.endswith(_ROAD_ENDINGS)


_PARTS_OF_A_DIRECTORY = ("OU=", "ou=", "DC=", "dc=", ",C=")


def _block(text: str) -> list[Finding]:
    """The lines of a postal address: who, road, town and land."""
    lines = text.split("\n")
    fewest, most = _LINES_OF_A_BLOCK
    first = next((i for i, line in enumerate(lines) if _ADDRESSED.match(line)), -1) + 1
    last = next(
        (i for i in range(first, len(lines)) if not _BLOCK_LINE.match(lines[i])), len(lines)
    )
    if last < len(lines) and not first:
        return []
    block = lines[first:last]
    if not fewest - bool(first) <= len(block) < most or not _is_addressed(block):
        return []
    found, at = [], sum(len(line) + 1 for line in lines[:first])
    for line in block:
        found.append(Finding(at, at + len(line), "address"))
        at += len(line) + 1
    return found


def is_block(text: str) -> bool:
    """Whether a text is a postal address, line by line."""
    return bool(_block(text))


def _is_addressed(block: list[str]) -> bool:
    return not block[0][:1].islower() and any(_CODE_LINE.match(line) for line in block[1:])


# Behind such a line stands an address.
_ADDRESSED = re.compile(
    r"(?i:(?:ship|shipped|deliver|delivered|bill|sold|send|sent|mail|return|forward|dispatch)(?:ed)? to|(?:delivery|shipping|billing|mailing|postal|home)? ?address|consignee|addressee|recipient)\s?:?\s*(?:[^\n:=]{2,60})?\Z"
)


def _may_be_a_row(line: str) -> bool:
    return "\x01" in line and any(line.count(separator) > 1 for separator in _SEPARATORS)


def address_findings(text: str) -> list[Finding]:
    """Postal addresses by their codes, in a text as it was written."""
    if not _SIGN.search(text):
        return []
    return [Finding(m.start("hit"), m.end("hit"), "address") for m in ADDRESSES.finditer(text)]


# Each label holds one of these.
_LABEL_WORDS = frozenset(
    """surname surnames forename forenames firstname lastname familyname givenname fullname maidenname birthname patientname clientname customername holder
    cardholder policyholder accountholder keeper applicant claimant complainant beneficiary requester assignee guardian spouse kin physician doctor
    prescriber attn attention employee student teacher tenant landlord passenger traveler traveller subscriber director signatory taxpayer insured payee
    payer donor witness defendant plaintiff visitor resident nombre apellido apellidos titular cliente paciente nom prénom prenom patient patiente vorname
    nachname kunde versicherte steuerpflichtiger cognome nome intestatario imię imie nazwisko filiação filiacao fn cn sn submitted prepared reported
    family given display first last middle owner reporter who zip zipcode postalcode postcode plz cep street streetname streetaddress addr addressline
    homeaddress domicilio adresse adress dirección direccion endereço endereco indirizzo wohnort ort stadt comuna ciudad ville cidade town county province
    district hometown birthplace birth lieu geburtsort lat latitude lon longitude lng dob birthdate birthday dateofbirth geburtsdatum fecha mrn memberid
    subjectid insuredid insuredno insurance policy policyno plate licenseplate vin imei sortcode routing accountno accountnumber cvv cvc pan ein upi ifsc
    swift bic employeeid studentid passport passportno wallet medical address""".split()
)


def _fields(text: str) -> list[Finding]:
    found = [
        Finding(m.start("hit"), m.end("hit"), "value")
        for pattern in (_FIELD, _QUOTED_ONLY, _POSTCODE)
        for m in pattern.finditer(text)
        if _is_of_somebody(m["hit"])
        or (
            _SURE_LABEL.match(m.group())
            and m["hit"][:1].isupper()
            and m["hit"].lower() not in _NOTHING
        )
    ]
    return found


def _is_of_somebody(value: str) -> bool:
    """Not `address: localhost`, `caller=compact.go:519` or `holder=none`."""
    words = [w.lower() for w in re.findall(r"[^\W\d_]+", value)]
    plain = value.strip().lower().rstrip(".")
    has_digits = any(c.isdigit() or c == "\x01" for c in value)
    if (
        plain in _NOTHING
        or plain.startswith("<")
        or not (words or has_digits)
        or _FILE.match(value)
    ):
        return False
    if has_digits or not words or any(is_given_name(w) and not is_program_word(w) for w in words):
        return True
    return 3 * sum(is_program_word(w) for w in words) < len(words)


_SURE_LABEL = re.compile(
    r"(?i:[\"']?(?:sur_?names?|fore_?names?|family|given|(?:first|last|full|maiden|family|given)[ _-]?names?))"
)
_FILE = re.compile(r"/|[\w./-]+\.[a-z]{1,5}:\d+\Z")


def _cells(text: str) -> list[Finding]:
    """The cells below headings that name what is about somebody."""
    found: list[Finding] = []
    at, columns, separator = 0, [], ""
    for line in text.split("\n"):
        cells = _split(line, separator) if separator else []
        if columns and len(cells) == len(columns):
            for is_personal, (start, end) in zip(columns, cells, strict=True):
                if is_personal and line[start:end].strip(" \"'-:"):
                    found.append(Finding(at + start, at + end, "value"))
        elif header := _header(line):
            columns, separator = header
        else:
            columns, separator = [], ""
            found += [Finding(at + a, at + b, "name") for a, b in _names_alone(line)]
        at += len(line) + 1
    return found


def columns_of(text: str) -> Iterator[tuple[int, int, str]]:
    """Of a table with headings, one of them about somebody, each cell: from, to, its heading."""
    first, _, rest = text.partition("\n")
    header = _header(first)
    if header is None:
        return
    names, at = [first[a:b].strip(" \"'") for a, b in _split(first, header[1])], len(first) + 1
    for line in rest.split("\n"):
        cells = _split(line, header[1])
        if len(cells) == len(names):
            yield from ((at + a, at + b, name) for (a, b), name in zip(cells, names, strict=True))
        at += len(line) + 1


def _names_alone(line: str) -> list[tuple[int, int]]:
    """`Frost` in a row without a header that holds a format: a cell of a capitalised name alone."""
    if "\x01" not in line:
        return []
    for separator in _SEPARATORS:
        cells = _split(line, separator) if line.count(separator) > 1 else []
        if cells and (separator != "," or ", " not in line):
            return [(a, b) for a, b in cells if _is_name_alone(line[a:b].strip("\"'"))]
    return []


def _is_name_alone(cell: str) -> bool:
    lower = cell.lower()
    is_name = is_given_name(lower) or lower in word_list("surnames")
    return cell.isalpha() and cell[0].isupper() and is_name and lower not in word_list("operations")


def _header(line: str) -> tuple[list[bool], str] | None:
    for separator in _SEPARATORS:
        cells = [line[a:b].strip(" \"'") for a, b in _split(line, separator)]
        if len(cells) >= _FEWEST_CELLS and all(not c or _HEADER.match(c) for c in cells):
            columns = [bool(_COLUMN.match(c)) or _is_label(c) for c in cells]
            if any(columns):
                return columns, separator
    return None


def has_header(text: str) -> bool:
    """Whether the first line is headings, one of them about somebody, and the next has as many cells."""
    first, _, rest = text.partition("\n")
    header = _header(first)
    return header is not None and len(_split(rest.partition("\n")[0], header[1])) == len(header[0])


def _is_label(cell: str) -> bool:
    return label_kind(cell) is not None


def _split(line: str, separator: str) -> list[tuple[int, int]]:
    """Where the cells of a line stand, without the blanks around them; quotes keep a separator inside."""
    cells, start, is_quoted = [], 0, False
    for at, sign in enumerate(line + separator):
        is_quoted ^= sign == '"'
        if sign == separator and (not is_quoted or at == len(line)):
            cell = line[start:at]
            left = start + len(cell) - len(cell.lstrip())
            cells.append((left, max(left, start + len(cell.rstrip()))))
            start = at + 1
    return cells
