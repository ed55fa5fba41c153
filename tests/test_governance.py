"""The pages about law, decisions, devices and cases: what can be tested of a text about rules.

A test cannot tell whether a sentence about the law is true. It can hold each page to its skeleton, ask that
an abbreviation is explained where it first stands, that no page promises what nobody can promise, and that
what has not been read is called "to be checked".
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

BOOK = Path(__file__).resolve().parent.parent / "book"
PAGES = ["law", "who-decides", "medical-devices", "cases", "release-pack", "involvement"]
every_page = pytest.mark.parametrize("page", PAGES)

# Names that everybody reads as they stand, or whose letters stand for nothing a reader could use.
ALLOWED = {
    "UK",
    "GOV",  # GOV.UK
    "COVID",  # the illness
    "LAUNCHES",  # study, explained by what it did; QI is part of its name
    "QI",
    "ACRO",  # tools: the catalogue of tools says what they are
    "SACRO",
    "ML",
}

BANNED = [
    r"zero[- ]risk",
    r"\bno[- ]risk\b",
    r"risk[- ]free",
    r"fully anonym",
    r"fully non-disclosive",
    r"(completely|perfectly|totally|100%) (safe|anonymous)",
    r"(cannot|can't|can not|impossible to) be (re-?)?identif",
    r"(not possible|impossible) to (re-?)?identify",
    r"guarantees? (privacy|anonymity)",
]

# What the fact sheet marks as not read: wherever a page says it, it says "to be checked" beside it.
NOT_READ = {
    r"[Ss]ection 172": "conditions of the defence for testing",
    r"recital 26": "wording in the UK",
    r"no burglar": "profile of the motivated intruder",
    r"health and adult social care bodies": "exclusion from the Digital Economy Act",
    r"Section 40\b": "freedom of information: personal data",
}


def source(page: str) -> str:
    return (BOOK / f"{page}.md").read_text(encoding="utf-8")


def prose(text: str) -> str:
    """What a reader sees: without the header, code, addresses, citations and tags."""
    text = re.sub(r"\A---\n.*?\n---\n\n# [^\n]*\n", "", text, flags=re.S)  # the title may be short
    text = re.sub(r"```.*?```", " ", text, flags=re.S)
    text = re.sub(r"\{cite[:\w]*\}`[^`]*`|\{[.\w-]+\}\n|^\([\w-]+\)=$", " ", text, flags=re.M)
    text = re.sub(r"\{term\}`([^`<]*)(<[^`]*>)?`", r"\1", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return re.sub(r"<[^>]*>", " ", text)


def unexplained(text: str) -> list[str]:
    """Abbreviations in capitals that are not explained where they first stand.

    Explained means "Words In Full (ABC)" or "ABC (words in full)".
    """
    found = []
    for match in re.finditer(r"\b[A-Z]{2,}[0-9]*\b", text):
        name = match.group()
        if name in ALLOWED or name in found:
            continue
        first = re.search(rf"\b{name}\b", text)
        if first.start() != match.start():
            continue
        before, after = text[: match.start()], text[match.end() :]
        in_brackets = re.search(r"([^().]*)\((?:UK )?\Z", before) if after.startswith(")") else None
        spelled_after = re.match(r"(?: UK)? \([A-Z]?[a-z]", after)
        if not (in_brackets and spells(in_brackets[1], name)) and not spelled_after:
            found.append(name)
    return found


def spells(words: str, name: str) -> bool:
    """Whether the letters of a name stand, in order, at the beginnings of the words before it."""
    starts = [word[0] + re.sub("[^A-Z]", "", word[1:]) for word in re.findall(r"\w+", words)]
    letters = iter("".join(starts).upper())
    return all(letter in letters for letter in name)


def promises(text: str) -> list[str]:
    """Claims that nobody can make, unless they stand in quotation marks and so are somebody else's."""
    own = re.sub(r"\"[^\"]*\"|“[^”]*”", " ", text)
    return [match.group() for pattern in BANNED for match in re.finditer(pattern, own, flags=re.I)]


def paragraphs(text: str) -> list[str]:
    """Paragraphs and list items, each on its own."""
    return [part for part in re.split(r"\n\s*\n|\n(?=[-|:] |\d+\. )", text) if part.strip()]


@every_page
def test_page_has_the_skeleton(page):
    text = source(page)
    headings = re.findall(r"^##? (.+)$", text, flags=re.M)
    assert headings[1] == "What you will be able to do"
    assert headings[-2:] == ["Check yourself", "Still to be checked"]
    opening = text.split("## What you will be able to do")[0]
    facts = re.search(r"\{\.lesson-facts\}\n((?:- .+\n)+)", opening)[1]
    assert facts.startswith("- For "), "who it is for"
    assert re.search(r"^- \d+ minutes to read$", facts, flags=re.M)
    assert "- No code" in facts
    assert len(paragraphs(text.split("## Still to be checked")[1])) >= 3


@every_page
def test_page_says_once_that_it_is_not_legal_advice(page):
    assert len(re.findall(r"not legal advice", source(page))) == 1


@every_page
def test_page_stands_in_the_contents_under_its_part(page):
    contents = yaml.safe_load((BOOK / "_toc.yml").read_text(encoding="utf-8"))
    part = next(part for part in contents["parts"] if part.get("caption") == "Deciding and governing")
    assert {"file": f"book/{page}"} in part["chapters"]


@every_page
def test_questions_have_one_right_answer_and_explain_each(page):
    quizzes = re.findall(r'<section class="quiz" aria-label="([^"]+)">(.*?)</section>', source(page), re.S)
    assert len(quizzes) >= 3
    assert len({name for name, _ in quizzes}) == len(quizzes), "each question has a name of its own"
    for name, body in quizzes:
        assert "\n\n" not in body, f"{name}: an empty line would end the box"
        options = re.findall(
            r"<details><summary>([A-Z])\. (.+?)</summary>"
            r"<p><strong>(Right|Not yet):</strong> (.+?)</p></details>",
            body,
        )
        assert [letter for letter, *_ in options] == list("ABCDEF"[: len(options)]), name
        assert len(options) >= 3 and body.count("<details>") == len(options), name
        assert [verdict for _, _, verdict, _ in options].count("Right") == 1, name
        assert all(len(why.split()) >= 5 for *_, why in options), name


@every_page
def test_right_answers_are_not_always_in_the_same_place(page):
    places = re.findall(r"<summary>([A-Z])\. [^<]+</summary><p><strong>Right", source(page))
    assert len(set(places)) > 1


@every_page
def test_abbreviations_are_explained_where_they_first_stand(page):
    assert unexplained(prose(source(page))) == []


@every_page
def test_links_to_other_sites_are_https(page):
    links = re.findall(r"\]\(([a-z]+:[^)]+)\)|href=\"([a-z]+:[^\"]+)\"", source(page))
    addresses = [one or other for one, other in links]
    assert addresses, "a page of facts links to its sources"
    assert [address for address in addresses if not address.startswith("https://")] == []


@every_page
def test_no_page_promises_what_nobody_can(page):
    assert promises(prose(source(page))) == []


@every_page
def test_what_was_not_read_is_called_to_be_checked(page):
    body, _, list_at_the_end = source(page).partition("## Still to be checked")
    for part in paragraphs(body):
        for pattern, what in NOT_READ.items():
            if re.search(pattern, part):
                assert "to be checked" in part, f"{what}: {part[:90]}"
    assert list_at_the_end


def test_each_thing_not_read_is_in_the_text():
    """If a page is rewritten, this list must follow it, or it would guard nothing."""
    everything = "".join(source(page) for page in PAGES)
    assert [pattern for pattern in NOT_READ if not re.search(pattern, everything)] == []


@every_page
def test_sentences_are_short(page):
    text = re.sub(r"^[|#].*$", "", prose(source(page)), flags=re.M)
    sentences = [s for s in re.split(r"[.?!:;]\s|\n\s*\n|\n(?=[-:]|\d+\. )", text) if len(s.split()) > 2]
    lengths = sorted(len(sentence.split()) for sentence in sentences)
    longest = max(sentences, key=lambda sentence: len(sentence.split()))
    assert lengths[len(lengths) // 2] <= 15
    assert lengths[-1] <= 40, longest
    assert "\u2014" not in text, "no long dashes"


# The tests themselves: a test that cannot fail tests nothing ---------------------------------------------


@pytest.mark.parametrize(
    "text, left",
    [
        ("The Information Commissioner's Office (ICO) says. The ICO says.", []),
        ("The ICO says. The Information Commissioner's Office (ICO) says.", ["ICO"]),
        ("ADR UK (Administrative Data Research UK) says so.", []),
        ("The General Data Protection Regulation (UK GDPR) applies. The GDPR says.", []),
        ("Ask the DPO. Then ask the DPO again.", ["DPO"]),
        ("In the UK, see (DPO).", ["DPO"]),
    ],
)
def test_unexplained_abbreviations_are_found(text, left):
    assert unexplained(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "There is no risk here.",
        "Synthetic data is Zero-Risk.",
        "It is fully anonymised.",
        "People cannot be re-identified.",
        "People cannot be identified.",
        "It is not possible to reidentify people.",
        "This guarantees privacy.",
    ],
)
def test_promises_are_found(text):
    assert promises(text)
    assert promises(f'A page says: "{text}"') == []
