# ruff: noqa: E501 - a pattern reads better unbroken
"""Personal words in what people write, failing closed: what is no ordinary word is masked.

Here: cues, addresses, dates, ages, names that are also words, capitals, and everything the word
lists do not know. Identifiers with a format come first (`formats`). Not here:
logs (`logs`). English first; cues in German, Spanish, French and Portuguese too.
"""

import re

from privacy.detection.texts.people import whole_names, with_number
from privacy.detection.texts.plain import (
    NO_VALUE,
    is_plain_amount,
    is_plain_capital,
    is_plain_span,
    is_plain_unknown,
)
from privacy.detection.vocabulary.findings import MARKS, Finding, blank, union
from privacy.detection.vocabulary.lexicon import is_given_name, is_word, word_list

_NAME = r"[^\W\d_][\w'\u2019-]*(?:[ ](?:(?:de|da|do|del|van|von|bin|al|el|la|dos) )?[^\W\d_a-zà-ÿ][\w'\u2019-]*){0,3}"
_MONTH = (
    r"(?:jan(?:uary|uar|vier|eiro)?|enero|feb(?:ruary|ruar|rero)?|fevereiro|février|mar(?:ch|zo|s|ço)|märz|apr(?:il)?|"
    r"abril|avril|mai|mayo|maio|june?|juni|juin|junio|junho|july?|juli|juillet|julio|julho|aug(?:ust)?|août|agosto|"
    r"sept?(?:ember|embre)?|septiembre|setembro|oct(?:ober|obre|ubre)?|oktober|outubro|nov(?:ember|embre|iembre|embro)?|"
    r"dec(?:ember)?|dezember|décembre|diciembre|dezembro)"
)
_NUMBER_WORD = (
    r"(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?"
    r"|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen)"
)
_STREET = (
    r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|crescent|close|terrace|way|court|place|square|boulevard|blvd|"
    r"gardens|grove|hill|row|walk|mews|park|estate|parade|highway)\b\.?"
)
_ORGANISATION = (
    r"(?:school|high school|college|university|academy|elementary|primary|kindergarten|nursery|institute|hospital|clinic|"
    r"surgery|practice|hospice|pharmacy|centre|center|church|chapel|mosque|synagogue|temple|council|bank|logistics|"
    r"dental|ltd|inc|llc|gmbh|company|& sons|house|prison|battalion|regiment|group|foods|services|sixth form|trust|"
    r"coffee|cafe|café|pub|gym|hotel|army|airport|library|supermarket|salon|studios?|anonymous|foundation|hostel|shelter)"
)
_TITLE = (
    r"(?:mr|mrs|ms|miss|mx|dr|prof|professor|rev|reverend|father|sister|brother|pastor|imam|rabbi|coach|officer|"
    r"sergeant|captain|nurse|uncle|aunt|auntie|aunty|grandma|grandpa|granny|nana|nan|mama|papa|tía|tío|abuela|abuelo|"
    r"frau|herr|onkel|tante|oma|opa|madame|monsieur|mme|tonton|senhor|senhora|dona|tia|tio|don|doña|señor|señora|"
    r"doctor|docteur|doutor|doutora|doctora)"
)
_KIN = (
    r"(?:brother|sister|mother|father|mum|mom|dad|son|daughter|wife|husband|partner|boyfriend|girlfriend|friend|mate|cousin|"
    r"niece|nephew|step(?:mum|mom|dad|mother|father|brother|sister)|sister-in-law|brother-in-law|boss|manager|teacher|"
    r"therapist|counsellor|counselor|landlord|roommate|flatmate|ex|crush|sponsor|neighbou?r|keyworker|case worker|"
    r"bruder|schwester|mutter|vater|freund|freundin|chef|chefin|mann|frau|sohn|tochter|hermano|hermana|madre|padre|novio|"
    r"novia|jefe|jefa|hijo|hija|amigo|amiga|abuela|frère|soeur|sœur|mère|père|copain|copine|mari|femme|fils|fille|ami|amie|"
    r"irmão|irmã|mãe|pai|namorado|namorada|marido|esposa|filho|filha|chefe)"
)
_INTRODUCTION = (
    r"(?:my (?:\w+ )?names?(?:'s| is| was)?|the name(?:'s| is)|i'?m called|(?:you can |please |just )?call me|(?:calls?|knows?) me(?: as)?|"
    r"sign me as|this is|called|named|i am known as|goes by|ich heiße|ich heisse|mein name ist|man nennt mich|me llamo|"
    r"mi nombre es|soy|je m['\u2019]appelle|je me nomme|mon nom est|moi c['\u2019]est|meu nome é|me chamo|chamo-me)"
)
_DIGIT_WORD = r"(?:zero|oh|o|one|two|three|four|five|six|seven|eight|nine|double|treble|triple)"
_CUES: tuple[tuple[str, str], ...] = (
    (
        "url",
        r"(?P<hit>\b(?:(?:https?|ftp)://|www\.)[^\s<>\"']+|\b(?:[\w-]+\.)+(?:com|org|net|io|tv|me|co|uk|de|fr|es|pt|app|gg|ly|blog|info|edu|gov)\b"
        r"(?:/[^\s<>\"']*)?)",
    ),
    ("phone", rf"(?P<hit>\b(?:{_DIGIT_WORD}[\s-]+){{5,}}{_DIGIT_WORD}\b)"),
    ("name", rf"\b{_INTRODUCTION}\s+(?P<hit>{_NAME})"),
    ("name", rf"(?<![\w-]){_KIN}(?:'?s name is|'?s called| is called)?,?\s+(?P<hit>{_NAME})"),
    ("name", rf"(?P<hit>\b{_TITLE}\.?\s+(?:dr\.?\s+)?{_NAME})"),
    (
        "username",
        r"\b(?:user ?name|login|handle|nick(?:name)?|gamer ?tag|discord|insta(?:gram)?|snap(?:chat)?|twitch|reddit|tiktok|"
        r"twitter|telegram|kik|steam|usuario|benutzername|pseudo|utilizador)\b(?:\s+(?:is|handle|name|as|on|i post as))*\s*[:=]?\s*"
        r"(?P<hit>[@\w][\w.#@/-]{2,})",
    ),
    (
        "username",
        r"\b(?:i post as|i'm on discord as|known online as)\s+(?P<hit>[@\w][\w.#@/-]{2,})",
    ),
    ("username", r"(?<!\w)(?P<hit>@[\w.]{2,}|u/\w{2,}|[a-z]+\.tv/\w+|\w+#\d{3,}|xX_\w+_Xx)"),
    (
        "id",
        r"\b(?:number|no|id|reference|ref|case|passport|licen[cs]e|ssn|social|plate|order|account|zip(?: code)?|postcode|"
        r"dni|nie|nif|nir|cpf|steuer-id|sécu|ticket|ending|code|ni|policy|registration)\b\s*(?:number|no|id|is|was|:|=|#|es|ist|est|é|with|got)?[\s:#.]*"
        r"(?P<hit>(?=[\w#/ -]*\d)#?[A-Z\d][\w/-]*(?:[ ](?=[A-Z\d/-]*\d)[A-Z\d/-]+|[ ][A-Z]{1,3}\b)*)",
    ),
    (
        "id",
        r"\b(?:van|car|truck|vehicle|plate|kennzeichen|kenteken|targa|plaka|registration)\s(?P<hit>(?-i:(?=[A-Z -]{0,6}\d)[A-Z]{1,3}\d{0,2}(?:[ -][A-Z]{1,2})?(?:[ -]?\d{1,4}[A-Z]{0,3}|[ -][A-Z]{3})))\b",
    ),
    (
        "secret",
        r"\b(?:password|passcode|pin|passwort|contraseña|mot de passe|senha|passphrase)\b\s*(?:is|was|:|=|ist|es|est|é)?\s*(?P<hit>\S+)",
    ),
    (
        "date",
        rf"(?P<hit>\b(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th|er|\.)?\s+(?:of\s+|de\s+)?{_MONTH}\b(?:,?\s+(?:de\s+)?\d{{4}})?)",
    ),
    ("date", rf"(?P<hit>\b{_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}})?)"),
    ("date", rf"(?P<hit>\b{_MONTH}\s+(?:of\s+|de\s+)?\d{{4}}\b)"),
    ("date", r"(?P<hit>\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b)"),
    (
        "date",
        r"(?P<hit>\b(?:new year'?s(?: (?:eve|day))?|christmas(?: eve| day)?|halloween|easter|thanksgiving|boxing day|ramadan|eid|diwali|"
        r"hanukkah|passover|(?:valentine|mother|father|st patrick)'?s day)\b(?:\s+\d{4})?)",
    ),
    ("date", r"(?P<hit>\b(?:19|20)\d\d\b)"),
    (
        "date",
        rf"\b(?:in|since|last|this|by|until|on|en|im|seit|desde|em|depuis)\s+(?P<hit>{_MONTH})\b",
    ),
    (
        "date",
        r"(?P<hit>\b(?:january|february|april|june|july|august|september|october|november|december)\b)",
    ),
    (
        "age",
        rf"\b(?:i'?m|i am|im|turn(?:s|ed|ing)?|aged?|is|was|are|been|at|tengo|tiene|j['\u2019]ai|tenho|bin|ist|as a)\s+(?:only\s+|now\s+)?"
        rf"(?P<hit>\d{{1,2}}|{_NUMBER_WORD})\b(?!\s*(?:out of|/|%|hours?|am|pm|days?|weeks?|months?|minutes?|times?|of\b|things|[.:]\d))",
    ),
    (
        "age",
        rf"(?P<hit>\b(?:\d{{1,3}}|{_NUMBER_WORD})[ -](?:years?|yrs?|jahre|años|ans|anos)(?:[ -]old|[ ]alt)?\b)",
    ),
    (
        "age",
        r"(?:^|[.!?]\s+)(?P<hit>[1-9]\d|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty)(?:[- ]\w{3,5})?|\w+teen)(?=,?\s(?:and|here|yo|y/o|[fm]|male|female|from)\b)",
    ),
    ("age", rf"\b(?:have been|be|been)\s+(?P<hit>{_NUMBER_WORD})\b"),
    (
        "address",
        rf"(?P<hit>\b(?:(?:flat|apt|unit|apartment|suite|wohnung)\.? ?\w{{1,5}},?\s+)?\d{{1,5}}[a-z]?,?\s+(?:[\w.'\u2019-]+\s+){{1,4}}{_STREET}"
        r"(?:,?\s+(?:apt|unit|flat|suite)\.? ?\w+|,\s*[A-Z][\w'\u2019-]+(?:\s[A-Z][\w'\u2019-]+){0,2}|,?\s+[A-Z]{2}\b|,?\s+\d{5}(?:-\d{4})?|,?\s*[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})*)",
    ),
    ("street", rf"(?P<hit>\b[A-Z][\w'\u2019-]+(?:\s[A-Z][\w'\u2019-]+){{0,2}}\s(?i:{_STREET}))"),
    (
        "address",
        r"(?P<hit>\b(?:unit|flat|apt) \w{1,5},(?:[^.?!\n]*?\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b|[^.?!\n]*))",
    ),
    ("address", r"(?P<hit>\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b)"),
    (
        "address",
        r"(?P<hit>\b(?:calle|avenida|plaza|rua|rue|via|praça|avenue|boulevard|travessa|paseo)\s+(?:(?:de|des|du|da|das|do|dos|del|la|las|los|le|les)\s+)*[\w'\u2019-]+(?:\s[A-ZÀ-Ý][\w-]+)*(?:,?\s+\d+\w?)?)",
    ),
    (
        "address",
        r"(?P<hit>\b\d{1,4},?\s+(?:rue|avenue|boulevard|place)\s+(?:(?:de|des|du|la|le|les)\s+)*[\w'\u2019-]+)",
    ),
    ("address", r"(?P<hit>\b\w+(?:straße|strasse|weg|platz|allee|gasse)\b(?:\s+\d+\w?)?)"),
    (
        "organisation",
        rf"(?P<hit>(?:\b[A-Z][\w.'\u2019&-]*\s+(?:(?:of|and|&|the)\s+)?){{1,4}}(?i:{_ORGANISATION})\b(?:\s+[A-Z]\w+)*)",
    ),
    (
        "organisation",
        r"(?P<hit>\b(?i:university|college|institute|bank|church|school|universidad|universität|université|universidade|instituto)\s+(?:of|de|da|do)\s+(?:the\s+)?[A-Z]\w+(?:\s[A-Z]\w+)*)",
    ),
    ("location", r"(?P<hit>\b(?:the )?[AMB]\d{1,3}\b)"),
    (
        "location",
        r"\b(?i:i live in|living in|moved to|moved from|grew up in|grew up near|born in|f from|m from|from|wohne in|vivo en|moro em|habite à|nací en|nasci em)\s+(?P<hit>[A-ZÀ-Ý]?\w[\w'\u2019-]+(?:\s[A-ZÀ-Ý][\w'\u2019-]+)*)",
    ),
    ("name", rf"(?:^|[.!?]\s+)(?:hi|hello|hey|thanks|thank you|dear)[, ]+(?P<hit>{_NAME})"),
    (
        "name",
        r"\b(?:i'?m|it'?s|its|i am)\s+(?P<hit>[A-ZÀ-Ý][\w'\u2019-]+(?:\s[A-ZÀ-Ý][\w'\u2019-]+)*)",
    ),
    ("organisation", r"(?P<hit>(?<=\w )\b[Tt]he [A-Z][\w'\u2019-]+(?:\s[A-Z][\w'\u2019-]+)*)"),
    (
        "place_of_work",
        rf"\b(?:at|for|to|from|in|with|the|of)\s+(?P<hit>(?:(?!(?:the|my|a|an|this|that|our|his|her|their|your|high|old|new|local|primary|to|in|on|me|and|is|was|day|art|work|law|med|first|same|whole|next|last|by)\b)[\w.'\u2019&-]+\s+){{1,3}}{_ORGANISATION})\b",
    ),
    (
        "place_of_work",
        r"\b(?:work(?:s|ed)?(?: nights| days| part time)? (?:at|for)|fired from|sacked from|job at|manager at|boss at|shift at|"
        r"sectioned me at|studying at|session at|roommate at|warehouse at|registered with|trabajo en|arbeite bei|travaille chez|"
        r"trabalho na|trabalho no)\s+(?P<hit>(?:the\s+)?(?!the\b|my\b|a\b|an\b|home\b|night\b|this\b|school\b|work\b|him\b|her\b|them\b|me\b|it\b)"
        r"[\w'\u2019-]+(?:\s(?:&|and)\s\w+)?)",
    ),
    (
        "road",
        r"\b(?:on|in|at|down|off)\s+(?P<hit>(?!the\b|my\b|a\b|this\b|our\b|his\b|her\b)[\w'\u2019-]+\s(?:street|road|avenue|lane|drive|crescent|terrace|boulevard))\b",
    ),
    (
        "health",
        r"(?P<hit>\b(?:bipolar(?: (?:ii|i|disorder))?|ptsd|ocd|adhd|hiv|aids|schizophrenia|schizoaffective|autis(?:m|tic)|asperger'?s?|anorexia|bulimia|borderline(?: personality(?: disorder)?)?|dementia|alzheimer'?s|parkinson'?s|crohn'?s(?: disease)?|multiple sclerosis|(?:post-?natal|post-?partum|clinical|major|manic|severe) depression|(?:eating|anxiety|panic|personality) disorder|c-?ptsd|psychosis|alcoholi(?:c|sm)|type [12] diabetes|diabetes|epilepsy|cancer|miscarriage|lithium|methadone|insulin|\w{4,}(?:etine|aline|apine|pram|azepam|azole|idone|otrigine|zolam|done)))\b",
    ),
)
_CAPITALS_DECIDE = frozenset({"organisation", "location", "street"})
_PATTERNS = [
    (kind, re.compile(pattern, 0 if kind in _CAPITALS_DECIDE else re.IGNORECASE))
    for kind, pattern in _CUES
    if kind != "name"
]
_NAME_CUES = [
    re.compile(re.sub(r"\(\?P<hit>", "(?P<hit>(?-i:", pattern, count=1) + ")", re.IGNORECASE)
    for kind, pattern in _CUES
    if kind == "name"
]
# What follows these is a name, even if it is a word too.
_SURE_TITLES = frozenset(
    "mr mrs ms miss mx dr prof rev uncle aunt auntie aunty abuela abuelo tía tío onkel tante frau herr".split()
)
_TOKEN = re.compile(rf"[^\W_][\w{MARKS}'\u2019-]*(?:[.][\w{MARKS}-]+)*")
_SENTENCE_END = re.compile(r"(?:^|[.!?:\n]['\")\]]*\s*|[\"(]\s*)\Z")
_NEVER_NAMES = frozenset(
    """i a the and or but not no so if when what who how why where because that this these those my your
    his her their our its it he she they we you me him them us mine yours one day today tomorrow yesterday
    monday tuesday wednesday thursday friday saturday sunday always never again very just really still only
    to too from for with about of in on at by as is was are were be been being am do did does done have has
    had would could should can cannot might must may shall then than there here now new old other ago
    said says say told tell called know knew knows think thinks want wants wanted got get gets going go went
    reads read keeps kept screams works prays left lost died likes loves hates drinks yelled calls called
    thinks who'd who's and're also asked says found used made makes came comes went fought off up out back over
    je ne il elle on nous vous ils que qui et à le les un une des est pas mais y ich er sie es wir ihr und der die das ist
    nicht no se que el los las una por para con me te lo e o a os as um uma não que me em mit hat ha a foi redet versteht""".split()
)
_BEFORE_NAME = frozenset(
    """told tell with miss misses missed love loved hate hated met saw asked ask texted text called call
    dated about without and from to for was from by thank thanks forgive forgave dreamed of like than know knows""".split()
)
_AFTER_NAME = frozenset(
    """is was has had says said told left went keeps kept got gets never doesn't doesnt didn't didnt won't wont isn't
    knows knew found sold took threatened broke punched would still always hit who and came comes called thinks wants
    wanted hates loves moved died ghosted texted asked made makes judges proposed works prays yelled laughed cried""".split()
)
_GERMAN = frozenset(
    "ich und der die das nicht ist mein meine den dem ein eine mit hat bin auf im".split()
)
_PRONOUNS = frozenset("i you he she it we they this that there the my your".split())
_OFTEN_VERBS = frozenset("will may can hope mark bill chase art summer".split())


def chat_findings(text: str, formats: list[Finding]) -> list[Finding]:
    """Findings of a message; `formats` are the identifiers already found in it."""
    shouting = sum(c.isupper() for c in text) > sum(c.islower() for c in text)
    found = list(formats)
    open_text = blank(text, formats)
    for kind, pattern in _PATTERNS:
        # A handle may end in what looks like an id.
        for match in pattern.finditer(text if kind == "username" else open_text):
            is_plain = match["hit"] in NO_VALUE or (
                kind == "organisation" and is_plain_span(open_text, *match.span("hit"))
            )
            if match["hit"] and not is_plain:
                found.append(Finding(match.start("hit"), match.end("hit"), kind))
    for pattern in _NAME_CUES:
        found += [f for m in pattern.finditer(open_text) if (f := _named(m)) is not None]
    found += _unknown(open_text, shouting=shouting)
    return whole_names(text, _joined(text, union(found)), is_message=True)


def _named(match: re.Match[str]) -> Finding | None:
    """The name behind a cue or a title, without the words of the sentence between them."""
    start, words = match.start("hit"), list(re.finditer(r"\S+", match["hit"]))
    is_titled = words[0][0].lower().rstrip(".") in _SURE_TITLES
    first = 1 if _ADDRESSED.fullmatch(words[0][0].lower().rstrip(".")) and len(words) > 1 else 0
    while (
        first < len(words)
        and words[first][0].lower() in _NEVER_NAMES
        and words[first][0][0].islower()
    ):
        first, start = first + 1, match.start("hit") + words[first].end()
    if first == len(words):
        return None
    last = words[-1][0]
    if (
        last[0].islower()
        and is_word(last.lower())
        and not is_given_name(last.lower())
        and not is_titled
    ):
        return None
    start = (
        max(start, match.start("hit") + words[first].start())
        if start > match.start("hit")
        else start
    )
    return Finding(start, match.end("hit"), "name")


def _unknown(text: str, *, shouting: bool) -> list[Finding]:
    """Words that the lists do not know, names that are also words, capitals inside a sentence."""
    tokens = list(_TOKEN.finditer(text))
    words = [t.group().lower().rstrip("'\u2019-") for t in tokens]
    # German writes every noun with a capital: there it says nothing about names.
    capitals = not shouting and len(_GERMAN.intersection(words)) < 2
    found = []
    for index, token in enumerate(tokens):
        previous = words[index - 1] if index else ""
        following = words[index + 1] if index + 1 < len(words) else ""
        if _is_personal(token, words[index], previous, following, text, capitals=capitals):
            found.append(Finding(token.start(), token.end(), "name"))
    return found


def _is_personal(
    token: re.Match[str], word: str, before: str, after: str, text: str, *, capitals: bool
) -> bool:
    written = token.group()
    if any(c.isdigit() for c in written):
        return not is_plain_amount(written)
    parts = [p for p in re.split(r"[-.]", word) if p]
    if word not in word_list("chat") and not all(is_word(p) for p in parts):
        return not is_plain_unknown(written, before)
    starts = _SENTENCE_END.search(text, 0, token.start()) is not None
    capital = written[0].isupper() and capitals
    if capital and not starts:
        is_grammar = word in _NEVER_NAMES or word.startswith(("i'", "i\u2019"))
        return not is_grammar and not is_plain_capital(
            written, before, after, text[token.end() + 1 :][:1]
        )
    if word in _RELATIVES and before in {"tell", "told", "miss", "called", "call"}:
        return True
    if not _may_be_given(re.sub(r"['\u2019]s\Z", "", word)):
        return False
    begins = capital and starts and after.endswith("ed") and word not in _NEVER_NAMES
    return begins or _is_name_here(word, before, after, text, token.start(), capital=capital)


_RELATIVES = frozenset(
    "mum mom dad mam nan nana grandma grandpa granny mummy daddy mama papa".split()
)


def _may_be_given(word: str) -> bool:
    return is_given_name(word) or word in _SHORT_NAMES


_SHORT_NAMES = frozenset("jo mo ty vi ed bo lu".split())


# `the tracking page says`: a thing.
_OF_A_THING = re.compile(
    r"(?i:\b(?:the|a|an|this|that|my|your|our|their|his|her|each|every|no)\s(?:\w+\s)?)\Z"
)


def _is_name_here(
    word: str, before: str, after: str, text: str, start: int, *, capital: bool
) -> bool:
    """A given name that is also a word: what stands around it decides; a possessive is a name."""
    if word in _NEVER_NAMES and word not in _OFTEN_VERBS:
        return False
    if word.endswith(("'s", "\u2019s")):
        return capital
    is_asked = after in _PRONOUNS and before not in _BEFORE_NAME
    if not capital and _OF_A_THING.search(text, 0, start):
        return False
    if word in _OFTEN_VERBS and (is_asked or before in _PRONOUNS or before == "to"):
        return False
    return after in _AFTER_NAME or before in _BEFORE_NAME or (capital and after == "")


def _joined(text: str, findings: list[Finding]) -> list[Finding]:
    """Neighbours with only blanks, `&`, apostrophes or an organisation's head between are one."""
    joined: list[Finding] = []
    for finding in findings:
        last = joined[-1] if joined else None
        if last and last.type == finding.type == "name":
            between = text[last.end : finding.start]
            if len(between) <= 3 and not re.search(r"[\w.,;:!?]", between):
                joined[-1] = Finding(last.start, finding.end, "name")
                continue
        joined.append(finding)
    return [_with_head(text, with_number(text, _with_lead(text, f))) for f in joined]


def _with_lead(text: str, finding: Finding) -> Finding:
    """`Rose Hunter` at the start of a sentence, `Uncle Ray`: the capitals in front belong to the name."""
    lead = _LEAD.search(text, max(finding.start - 30, 0), finding.start)
    if lead is None or finding.type != "name" or not text[finding.start].isupper():
        return finding
    word = lead["word"].lower()
    is_part = (
        _may_be_given(word) or word in word_list("surnames") or bool(_ADDRESSED.fullmatch(word))
    )
    if word in _NEVER_NAMES or not is_part:
        return finding
    return Finding(lead.start("word"), finding.end, "name")


def _with_head(text: str, finding: Finding) -> Finding:
    head = _HEAD.match(text, finding.end)
    return (
        Finding(finding.start, head.end(), "organisation")
        if head and finding.type == "name"
        else finding
    )


_LEAD = re.compile(r"(?<![\w'\u2019-])(?P<word>[A-ZÀ-Ý][\w'\u2019-]*)\.? \Z")
_ADDRESSED = re.compile(rf"{_TITLE}|{_KIN}", re.IGNORECASE)
_HEAD = re.compile(
    rf"(?:['\u2019]s)?\s+(?:high\s+|sixth\s+|medical\s+)?{_ORGANISATION}\b", re.IGNORECASE
)
