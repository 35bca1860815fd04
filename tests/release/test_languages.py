"""A language counts only if sentences in its own script are spoken as words. Judged twice: by what
espeak-ng makes of the text (switches to English, letter names, words without vowels), and by what
the real server speaks (phonemes and time for each letter). The catalogue must say the same: what
fails is limited there, and what is limited without need fails here too."""

import ctypes
import importlib.util
import json
import re
import unicodedata

import pytest

from support.server import ROOT

IPA = 2
UTF8 = 1
VOWELS = "aeiouyäöAɑɐæɒəɘɵɤɯɨʉɪʊʏɛœøɔʌɜɚɝɞᵻ"
AFFRICATES = ("tʃ", "dʒ", "tɕ", "dʑ", "ts", "dz")
# Letters of these carry a vowel of their own, or are whole syllables.
SYLLABIC = {"DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA",
            "MALAYALAM", "SINHALA", "THAI", "MYANMAR", "ETHIOPIC", "HANGUL", "CJK", "HIRAGANA",
            "KATAKANA"}
MOST_PHONES = {False: 1.4, True: 2.6}  # for each letter
SECONDS = {False: (0.04, 0.13), True: (0.08, 0.25)}


def read_rows(path):
    lines = path.read_text().splitlines()
    return {tag: sentences for tag, *sentences in
            (line.split("\t") for line in lines if line and not line.startswith("#"))}


SENTENCES = read_rows(ROOT / "tests" / "fixtures" / "languages.tsv")


class Espeak:
    """What the library makes of text, without audio."""

    def __init__(self):
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        assert self.library.espeak_Initialize(1, 0, None, 0) > 0

    def phonemes(self, text):
        buffer = ctypes.create_string_buffer(text.encode())
        at = ctypes.c_void_p(ctypes.addressof(buffer))
        clauses = []
        while at.value:
            clause = self.library.espeak_TextToPhonemes(ctypes.byref(at), UTF8, IPA)
            clauses.append(clause.decode())
        return " ".join(clauses)

    def choose(self, voice):
        name = voice["id"].removeprefix("espeak-").encode()
        name = {b"fr-fr": b"fr"}.get(name, name)
        assert self.library.espeak_SetVoiceByName(name) == 0, voice["id"]


def is_syllabic(text):
    return any(unicodedata.name(c, "").split()[0].split("-")[0] in SYLLABIC for c in text)


def letters(text):
    return sum(unicodedata.category(c).startswith("L") for c in text)


def without_marks(phonemes):
    """Vowels and consonants alone, an affricate as one, words apart by spaces."""
    for pair in AFFRICATES:
        phonemes = phonemes.replace(pair, "c")
    # r, l, m and n that make a syllable.
    phonemes = re.sub("[rlmn]\u0329|(?<=[^\\s%s])r(?=[^\\s%s])" % (VOWELS, VOWELS), "ə", phonemes)
    return "".join(c for c in unicodedata.normalize("NFD", phonemes)
                   if c == " " or (c.isalpha() and unicodedata.category(c) != "Lm"))


def faults_of_text(espeak, text):
    """Why this is not spoken as words; empty when it is."""
    phonemes = espeak.phonemes(text)
    faults = []
    if re.search(r"\([a-z][a-z-]*\)", phonemes):
        faults.append("switches language")
    words = without_marks(re.sub(r"\(.*?\)", " ", phonemes)).split()
    silent = [word for word in words if len(word) > 1 and not set(word) & set(VOWELS)]
    if silent:
        faults.append(f"words without vowels: {silent}")
    runs = [run for word in words for run in re.split(f"[{VOWELS}]+", word) if len(run) > 3]
    if runs:
        faults.append(f"consonants nobody can say: {runs}")
    return faults


def faults_of_speech(http, voice, text):
    reply = http.post("/v1/generate/stream", json={"text": text, "voice": voice["id"]},
                      headers={"Accept": "application/x-ndjson"})
    assert reply.status_code == 200, (voice["id"], reply.text)
    events = [json.loads(line) for line in reply.text.splitlines()]
    assert events[-1]["type"] == "done", events[-1]
    phones = sum(len(event.get("phonemes", [])) for event in events)
    words = sum(len(event.get("words", [])) for event in events)
    assert words, voice["id"]
    syllabic = is_syllabic(text)
    faults = []
    if phones > MOST_PHONES[syllabic] * letters(text):
        faults.append(f"letters are named: {phones} phonemes for {letters(text)} letters")
    seconds = events[-1]["duration"] / letters(text)
    if not SECONDS[syllabic][0] <= seconds <= SECONDS[syllabic][1]:
        faults.append(f"{seconds:.3f} s for a letter")
    return faults


@pytest.fixture(scope="module")
def voices(http):
    """espeak's voices by their tag."""
    found = http.get("/api/voices", params={"engine": "espeak"}).json()["voices"]
    if not found:
        pytest.fail("the espeak worker has no voices")
    return {voice["languages"][0]: voice for voice in found}


def voices_of(voices, tag):
    exact = voices.get(tag)
    return exact or next(v for t, v in sorted(voices.items()) if t.startswith(tag + "-"))


def test_the_catalogue_tells_the_truth(http, voices):
    espeak = Espeak()
    wrong = []
    for tag, sentences in SENTENCES.items():
        voice = voices_of(voices, tag)
        assert len(sentences) >= 2, tag
        faults = []
        for text in sentences:
            espeak.choose(voice)
            faults += faults_of_text(espeak, text) + faults_of_speech(http, voice, text)
        if (voice["support"] == "limited") != bool(faults):
            wrong.append(f"{voice['id']} is {voice['support']}: {faults or 'no faults'}")
    assert not wrong, "\n".join(wrong)


def test_fifty_languages_and_more_count(voices):
    """And none counts without having been measured."""
    measured = {tag.split("-")[0] for tag in SENTENCES}
    full = {tag.split("-")[0] for tag, v in voices.items() if v["support"] == "full"}
    assert len(SENTENCES) >= 60
    assert full <= measured, f"not measured: {sorted(full - measured)}"
    assert len(full & measured) >= 50


def test_the_measure_finds_what_is_wrong():
    espeak = Espeak()
    espeak.choose({"id": "espeak-ja"})
    assert "switches language" in faults_of_text(espeak, "毎晩本を読みます")
    assert not faults_of_text(espeak, "きょうは てんきが いいです")
    espeak.choose({"id": "espeak-he"})
    assert faults_of_text(espeak, "היום מזג האוויר יפה")
    espeak.choose({"id": "espeak-de"})
    assert not faults_of_text(espeak, "Heute ist das Wetter schön.")


def test_tags_are_canonical(http):
    icu = ctypes.CDLL("libicuuc.so.72")
    for voice in http.get("/api/voices").json()["voices"]:
        for tag in voice["languages"]:
            status, read = ctypes.c_int(0), ctypes.c_int(0)
            locale, again = ctypes.create_string_buffer(200), ctypes.create_string_buffer(200)
            icu.uloc_forLanguageTag_72(tag.encode(), locale, 200, ctypes.byref(read),
                                       ctypes.byref(status))
            assert (status.value, read.value) == (0, len(tag)), f"{tag} is not well-formed"
            icu.uloc_toLanguageTag_72(locale, again, 200, ctypes.c_byte(1), ctypes.byref(status))
            assert again.value.decode() == tag
        assert voice["language_name"] and voice["native_language_name"], voice["id"]


def test_every_voice_has_a_sentence_for_its_preview(http, voices):
    sentences = read_rows(ROOT / "voices" / "previews.tsv")
    missing = [tag for tag in voices if not tag.startswith("en") and
               not any(t == tag or tag.startswith(t + "-") for t in sentences)]
    assert not missing


def test_the_list_in_the_documentation_is_the_catalogues(http):
    path = ROOT / "docs" / "list_languages.py"
    spec = importlib.util.spec_from_file_location("list_languages", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "docs" / "languages.md").read_text()
    assert written == module.table(http.get("/api/voices").json()["voices"]), \
        "run docs/list_languages.py with the address of a server"
