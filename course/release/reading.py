"""How hard a text looks: the Flesch-Kincaid grade, by which public pages here are held to plain words.

grade = 0.39 x words per sentence + 11.8 x syllables per word - 15.59 (Kincaid and others, 1975). It is a
rough guide, by length alone. Grade 6 is the US class of ages 11 to 12. How it is counted here:

- A word is a run of letters, with any apostrophe, or of digits, with any comma.
- A sentence ends at . ! or ? A line of a list that has no such mark goes on in the next line, so a long list
  counts as one long sentence. Headings and table heads are left out, as they would shorten it.
- Syllables of a word: its runs of vowels (a e i o u y). Less one for a silent ending: "e" (but not "le" after
  a consonant, as in "table"), "es" (but not after a hissing sound, as in "houses") and "ed" (but not after t
  or d, as in "wanted"). Never below one. A number has one for each digit.

The formula is written here because the library for it, textstat, does not serve: its present version
downloads a list of words when first used and stops without a network, and the older one needs a module that
setuptools has dropped.
"""

import re

HARDEST = 6.0  # the grade that no public page may be above


def syllables(word: str) -> int:
    """The syllables of one word, by the rule above."""
    word = word.lower().replace("'", "").replace("’", "")
    if word[0].isdigit():
        return sum(letter.isdigit() for letter in word)
    count = len(re.findall("[aeiouy]+", word))
    if re.search("[^aeiouy](e|es|ed)$", word):
        heard = re.search("[^aeiouy]le$|[^aeiouy]les$|(s|x|z|ch|sh|c|g)es$|[td]ed$", word)
        count -= not heard
    return max(1, count)


def grade(text: str) -> float:
    """The Flesch-Kincaid grade of plain text."""
    words = re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d[\d,]*", text)
    sentences = [part for part in re.split(r"[.!?]+(?=\W|$)", text) if re.search(r"\w", part)]
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def plain(markdown: str) -> str:
    """What a reader reads of a page's source: no front matter, headings, directives, addresses or marks."""
    text = re.sub(r"\A---\n.*?\n---\n", "", markdown, flags=re.S)
    text = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
    text = re.sub(r"^(#.*|\{\..*\}|\|.*\|\n\|[-|]+\|)$", "", text, flags=re.M)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"^(- |\d+\. )", "", text, flags=re.M)
    text = re.sub(r" *\|$", ".", text, flags=re.M)  # a row of a table ends a sentence
    return re.sub(r"[*`|]", " ", text)
