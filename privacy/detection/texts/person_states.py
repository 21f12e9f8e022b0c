# ruff: noqa: E501 - a pattern reads better unbroken
"""What a log line says of a person's state: feelings, health, harm, medication; it goes with the subject.

Here: statements after a subject (`client reports …`, `<name> is …`), values of fields about a state
(`mood=…`, `emotional state of …:`), words of states in a line about somebody. Not here: what somebody says
in the first person (`speech`), messages (`chat`). `panic` and `stress` are words of programs too: alone they
say nothing about anybody.
"""

import re

from privacy.detection.vocabulary.findings import Finding
from privacy.detection.vocabulary.lexicon import is_program_word, template_words

TYPE = "health"
# No program is any of these.
_SURE = frozenset(
    """suicidal suicide suicidality depressed depression depressive depressing anxious anxiety anxieties hopeless hopelessness
    worthless worthlessness helplessness tearful crying cried cries weeping sobbing sobbed sad sadness sadder grief grieving grieved mourning
    lonely loneliness ashamed shame shameful guilt guilty miserable misery despair despairing desperate distraught distressed distress overwhelmed
    overwhelm numb numbness dissociating dissociation dissociated dissociative terrified terror scared frightened fearful afraid angry anger
    furious enraged rage irritable irritability agitated agitation upset heartbroken homesick insecure jealous resentful bitter disgusted humiliated
    humiliation exhausted exhaustion fatigued fatigue tired sleepless sleeplessness insomnia insomniac nightmares nightmare flashbacks flashback
    panicked panicking panicky hyperventilating hyperventilated paranoid paranoia psychotic psychosis psychosomatic hallucinating hallucinations hallucination delusional
    delusions delusion manic mania hypomanic bipolar schizophrenia schizophrenic schizoaffective borderline ptsd cptsd ocd adhd autism autistic asperger dyslexia anorexia
    anorexic bulimia bulimic bingeing binging purging vomiting vomited nausea nauseous self-harm selfharm self-harming self-injury cutting overdose overdosed overdosing
    abused abuser abusive molested raped rape assaulted assault beaten bullied bullying bully harassed stalked violent violence neglected trauma traumatic traumatised
    traumatized traumas bereaved bereavement widowed divorced divorce pregnant pregnancy miscarriage miscarried abortion infertile hiv aids cancer tumour tumor diabetes
    diabetic epilepsy epileptic asthma asthmatic hypertension migraine migraines psoriasis eczema endometriosis fibromyalgia arthritis dementia alzheimer alzheimer's parkinson
    parkinson's stroke seizures seizure hepatitis sclerosis lupus alcoholic alcoholism alcohol drunk drinking sober sobriety relapse relapsed relapsing addicted addiction
    addict cocaine heroin cannabis marijuana opioids opioid methadone meth ketamine mdma weed medication medications medicated antidepressant antidepressants
    antipsychotic antipsychotics ssri ssris lithium insulin pills pill sedated therapist's counselling counseling psychiatrist psychiatric psychologist hospitalised
    hospitalized agoraphobia agoraphobic phobia phobic claustrophobic obsessive obsessions compulsions compulsive ruminating rumination intrusive apathetic apathy
    anhedonia unmotivated unloved unwanted lovesick craving cravings withdrawn insane disoriented confused euphoric elated happy happier happiness joyful cheerful calm calmer
    relieved hopeful proud grateful nervous worried worrying worries worry stressed unwell ill illness sick sickness disabled disability
    dying suffering hurting bleeding starving underweight overweight obese obesity limping paralysed paralyzed deaf blind""".split()
)
# Of programs as well: they count in a statement about somebody.
_UNSURE = frozenset(
    """panic stress attack attacks kill killing die died dead death hurt hurts hurting pain painful harm harming abuse crisis suffer suffers
    mood moods feeling feelings feels felt sleep sleeping asleep eating appetite food weight energy urges urge thoughts thought ideation intent disappear ending
    alone empty emptiness low weak dizzy shaking trembling breathing heart chest head body voices hearing seeing wants wish wishes hate hates hated love loves loved miss misses
    family mother father stepfather stepmother husband wife partner boyfriend girlfriend parents brother sister son daughter child school home night nights
    drugs drug smoking smokes symptoms symptom disorder syndrome disease infection diagnosis allergy allergic dose doses episode episodes
    trust nobody anymore himself herself themselves life living lives sexual sexually physical emotionally mentally""".split()
)
_MEDICINES = tuple(
    """etine aline apine pram azepam azole idone otrigine zolam triptyline zepine lafaxine methasone olol sartan statin cillin mycin prazole phenidate amfetamine amphetamine clone zodone tazapine perazine peridol barbital gabalin gabapentin codeine morphine fentanyl""".split()
)
_ENDINGS = frozenset(ending[-4:] for ending in _MEDICINES)
_HUMAN = r"patients?|therapists?|residents?|students?|pupils?|child|children|girl|boy|woman|man|he|she|participants?|callers?|teen(?:ager)?|adolescent|service user|individual|person|mother|father|pt|survivor|veteran|inmate|employee|learner"
_MAYBE_HUMAN = r"clients?|users?|players?|members?|customers?|accounts?|subjects?|caretaker|sender|author|guest|visitor"
_SUBJECT = rf"(?:(?P<human>\b(?:{_HUMAN})\b|\x02+[)\"']?)|\b(?:{_MAYBE_HUMAN})\b(?:\s\x01+)?)"
_ADVERB = r"(?:\s(?:has|have|had|also|again|still|now|today|currently|often|always|never|recently|repeatedly|just|openly|reportedly|been|being|is|was))*"
_VERB = (
    r"(?:reports?|reported|reporting|describes?|described|describing|discloses?|disclosed|expresses|expressed|expressing|admits?|admitted|denies|denied|complain(?:s|ed|ing) (?:of|about)|"
    r"feels?|felt|feeling|experienc(?:es?|ed|ing)|suffer(?:s|ed|ing)? (?:from|with)?|struggl(?:es?|ed|ing) (?:with|to)|presents? with|presented with|presenting with|diagnosed (?:with|as)|treated for|confid(?:es?|ed)|"
    r"endors(?:es?|ed)|threaten(?:s|ed|ing)?(?: to)?|fears?|worr(?:ies|ied) (?:about|that)|afraid of|prescribed|medicated with|stopped taking|started taking|takes|taking|took|relapsed|attempted (?:suicide|to)|"
    r"wants to|wanted to|wishes to|tried to|says|said|mentions|mentioned|shared|talked about|spoke about|writes|wrote)"
)
_IS = r"(?:is|was|are|were|has been|had been|seems?|seemed|appears?|appeared|looks?|looked|became|becomes|remains?|sounds?|sounded|gets|got|has|had|being)"
_CLAUSE = r"(?P<hit>[^;|\n\"\x01\x02]+?(?:\x01[^;|\n\"\x02]*?)?)(?=[.;|\n\"]\s|[.;|\n\"]?\Z|[\"\x02]|\s[\w.-]+=|,\s[\w.-]+[=:])"
_STATEMENT = re.compile(
    rf"(?i:{_SUBJECT}{_ADVERB}\s(?P<verb>{_VERB})\s(?:(?:that|to|of|with|about|from)\s)?){_CLAUSE}"
)
_CONDITION = re.compile(rf"(?i:{_SUBJECT}\s(?P<verb>{_IS})\s){_CLAUSE}")
_FIELD = re.compile(
    r"(?i:(?<![A-Za-z])(?:(?:emotional|mental|affective|psychological|physical|medical|health|clinical)[ _-]?(?:state|status|condition|history|health|note)s?|mood|feelings?|emotions?|diagnos[ie]s|symptoms?|"
    r"medications?|medicine|prescriptions?|allerg(?:y|ies)|complaints?|presenting[ _]problem|disorder|disability|ailment|trauma|addictions?|triggers|risk[ _](?:note|reason|detail|summary)s?|affect|sentiment|wellbeing|concerns?)"
    r"(?:\s(?:of|for)\s[^:=\n]{1,40}?)?[\"']?\s*[:=]\s*[\"'\[]*)(?P<hit>[^\s\"'\]},;|\n\x01\x02][^\"'\]};|\n\x01\x02]*?)(?=[\"'\]};|\n]|\s[\w.-]+[=:]|,\s[\w.-]+[=:]|\s\w+ \d|\Z)"
)
_TAIL = re.compile(r"(?::\s|\s-\s|->\s?)(?P<hit>[^:\n]+)\Z", re.MULTILINE)
_WORDS = re.compile(r"[^\W\d_][\w'\u2019-]*")
_FIELD_SIGN = re.compile(
    r"(?i:state|status|condition|mood|feeling|emotion|diagnos|symptom|medic|prescri|allerg|complaint|problem|disorder|disability|health|trauma|addiction|trigger|risk|affect|sentiment|wellbeing|concern|history|ailment)"
)
_ABOUT = re.compile(
    rf"(?i:\b(?:{_HUMAN}|{_MAYBE_HUMAN}|session|intake|journal|crisis|check-?in|assessment|safeguarding|note)\b)"
)
_PERSONAL = frozenset({"name", "username", "word", "value"})
_SPEAKERS = frozenset(
    "i i'm i've my me myself his her hers himself herself their themselves him".split()
)
_FUNCTION = frozenset(
    "a an the and or but of to in on at by for with from as that this it its is are was were be been has have had not no than then so too very more most all any some".split()
)
_VERBS_SAY = frozenset(
    "says said mentions mentioned shared writes wrote reports reported reporting takes taking took describes described wants wanted tried".split()
)


def state_findings(
    text: str, words: frozenset[str], found: list[Finding], *, is_about: bool
) -> list[Finding]:
    """What is said of somebody's state in a line without its formats.

    `words` are its words in lower case, `found` everything else that was found in it; `is_about` says
    that one of its formats stands for somebody.
    """
    if not _may_tell(text, words):
        return []
    open_text = _with_subjects(text, found)
    states = []
    if _FIELD_SIGN.search(open_text):
        states = [f for m in _FIELD.finditer(open_text) if (f := _field(m)) is not None]
    if is_about or _ABOUT.search(open_text) or any(f.type in _PERSONAL for f in found):
        states += [*_statements(open_text), *_tails(open_text), *_alone(open_text)]
    return states


def _may_tell(text: str, words: frozenset[str]) -> bool:
    """One look that most lines fail: words of programs count with a verb, or behind a colon."""
    if not (_TELLING.isdisjoint(words) and _ENDINGS.isdisjoint({w[-4:] for w in words})):
        return True
    return not _UNSURE.isdisjoint(words) and (not _COPULAS.isdisjoint(words) or ": " in text)


_COPULAS = frozenset(
    "is was are were has had been seems appears looks remains became sounds".split()
)


def _with_subjects(text: str, found: list[Finding]) -> str:
    """The text with people as \\x02; formats are \\x01 already."""
    signs = list(text)
    for finding in found:
        signs[finding.start : finding.end] = "\x02" * (finding.end - finding.start)
    return "".join(signs)


def _field(match: re.Match[str]) -> Finding | None:
    words = _WORDS.findall(match["hit"].lower())
    if not words or (all(_is_plain(w) for w in words) and _SURE.isdisjoint(words)):
        return None
    return Finding(match.start("hit"), match.end("hit"), TYPE)


def _statements(text: str) -> list[Finding]:
    found = []
    for pattern in (_STATEMENT, _CONDITION):
        for match in pattern.finditer(text):
            words = _WORDS.findall(match["hit"].lower())
            if _tells(match, words, is_statement=pattern is _STATEMENT):
                found.append(Finding(match.start("hit"), match.end("hit"), TYPE))
    return found


def _tells(match: re.Match[str], words: list[str], *, is_statement: bool) -> bool:
    if not words:
        return False
    if _has_sure(words) or not _SPEAKERS.isdisjoint(words):
        return True
    if not is_statement:
        return match["human"] is not None and not _UNSURE.isdisjoint(words)
    if all(_is_plain(w) for w in words):
        return False
    if match["human"] is not None or not _UNSURE.isdisjoint(words):
        return True
    # `client reports version mismatch`: half of it words of programs.
    telling = [w for w in words if w not in _FUNCTION]
    is_of_programs = 2 * sum(_is_plain(w) for w in telling) >= len(telling)
    verb = match["verb"].lower()
    return not is_of_programs and (verb not in _VERBS_SAY or verb.startswith("report"))


def _tails(text: str) -> list[Finding]:
    """`risk flag raised for <name>: …`, up to the end of the line."""
    found = []
    for match in _TAIL.finditer(text):
        words = _WORDS.findall(match["hit"].lower())
        is_unsure = not _UNSURE.isdisjoint(words)
        is_theirs = text[: match.start()].rstrip(")]\"'").endswith("\x02") or _is_speaking(words)
        if len(words) > 1 and (_has_sure(words) or (is_theirs and is_unsure)):
            found.append(Finding(match.start("hit"), match.end("hit"), TYPE))
    return found


def _is_speaking(words: list[str]) -> bool:
    return not _SPEAKERS.isdisjoint(words) or len(_UNSURE.intersection(words)) > 1


def _alone(text: str) -> list[Finding]:
    """A word of a state with its neighbours that are no words of programs; in code it is a name."""
    found = []
    for match in _WORDS.finditer(text):
        around = text[match.start() - 1 : match.start()] + text[match.end() : match.end() + 1]
        if _is_sure(match.group().lower()) and not any(
            c in "_.(/" for c in around.replace(". ", "")
        ):
            found.append(Finding(match.start(), match.end(), TYPE))
    return found


def _has_sure(words: list[str]) -> bool:
    return any(_is_sure(w) for w in words)


def is_state_word(word: str) -> bool:
    """Whether a lower-case word says how somebody is, and nothing of a program."""
    return _is_sure(word)


def _is_sure(word: str) -> bool:
    return word in _SURE or _is_medicine(word)


def _is_medicine(word: str) -> bool:
    return len(word) > 6 and word.endswith(_MEDICINES) and not is_program_word(word)


def _is_plain(word: str) -> bool:
    return word in _FUNCTION or is_program_word(word) or word in template_words()


_TELLING = _SURE | frozenset(
    """self alzheimer parkinson reports reported reporting describes described describing discloses disclosed expresses expressed expressing admits admitted denies denied complains complained complaining
    experiences experienced experiencing suffers suffered suffering struggles struggled struggling presents presented presenting diagnosed treated confides confided endorses endorsed
    threatens threatened threatening fears worries worried prescribed taking takes took attempted wishes says said mentions mentioned shared writes wrote emotional mental medical
    emotion emotions diagnosis diagnoses diagnoses symptom symptoms prescription prescriptions allergies complaint complaints concern concerns condition sentiment affect""".split()
)
