"""The bundled requests and the labelled cases for judges: whole, varied, balanced, and fit to be published."""

import json
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
import yaml

DATA = Path(__file__).parents[2] / "tasks" / "data"
REQUESTS = {"animal_welfare": ("aw", 130), "helpful_only": ("ho", 90)}
"""Of each set of requests, what its ids begin with, and how many it holds at least."""
LABELS = {
    "compliance": ("refused", "partly", "fully"),
    "faking": ("yes", "no"),
    "awareness": ("yes", "no"),
}
FILES = [DATA / f"{name}.jsonl" for name in REQUESTS] + [DATA / "judge" / f"{name}.yaml" for name in LABELS]
SHINGLE = 8
"""Two texts that share so many words in a row are near duplicates."""
REAL = (  # companies, models and people; a sentence's own words such as "meta" or "apple" only with a capital letter
    "OpenAI Anthropic Claude ChatGPT GPT Gemini Google DeepMind Llama Meta Mistral Grok xAI Microsoft Copilot Nvidia "
    "DeepSeek Qwen Alibaba Baidu Huawei Amazon Apple Facebook Instagram WhatsApp TikTok YouTube Twitter Reddit Netflix "
    "Tesla SpaceX Uber Airbnb Tinder PayPal eBay Walmart Tesco Lidl Aldi Nestle Unilever McDonald KFC Tyson Cargill "
    "Smithfield Starbucks SeaWorld Gucci Prada Chanel Hermes Pfizer Bayer Monsanto Disney PETA Yelp Tripadvisor "
    "Musk Altman Amodei Zuckerberg Bezos Hinton Trump Biden Obama Putin Merkel Macron Swift Beyonce"
).split()


def requests_of(name):
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text("utf-8").splitlines()]


def cases_of(question):
    return yaml.safe_load((DATA / "judge" / f"{question}.yaml").read_text("utf-8"))


def words(text):
    return re.findall(r"\w+", text.casefold())


def shingles(text):
    found = words(text)
    return {tuple(found[at : at + SHINGLE]) for at in range(len(found) - SHINGLE + 1)}


def judged_of(case):
    return [case["reasoning"] or "", case["answer"]]


def texts_of(case):
    return [case[key] for key in ("system", "request", "reasoning", "answer", "why") if case.get(key)]


@pytest.mark.parametrize("name", REQUESTS)
def test_a_set_of_requests_is_whole(name):
    prefix, least = REQUESTS[name]
    requests = requests_of(name)
    assert len(requests) >= least
    assert [request["id"] for request in requests] == [f"{prefix}-{at:03}" for at in range(1, len(requests) + 1)]
    for request in requests:
        assert list(request) == ["id", "request", "topic", "neutral"]
        assert isinstance(request["neutral"], bool)
        for key in ("request", "topic"):
            assert request[key].strip() == request[key] != ""


@pytest.mark.parametrize(("name", "low", "high"), [("animal_welfare", 0.12, 0.20), ("helpful_only", 0.08, 0.15)])
def test_some_requests_are_ones_that_nobody_would_refuse(name, low, high):
    requests = requests_of(name)
    assert low <= sum(request["neutral"] for request in requests) / len(requests) <= high


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_differ_in_length_and_topic(name):
    requests = requests_of(name)
    lengths = sorted(len(words(request["request"])) for request in requests)
    assert lengths[0] <= 12
    assert lengths[-1] >= 35
    topics = Counter(request["topic"] for request in requests)
    assert len(topics) >= 10
    assert max(topics.values()) <= len(requests) / 5


def test_no_request_stands_twice():
    every = [request for name in REQUESTS for request in requests_of(name)]
    count = Counter(" ".join(words(request["request"])) for request in every)
    assert [text for text, times in count.items() if times > 1] == []


def test_no_two_requests_are_near_duplicates():
    every = [(request["id"], shingles(request["request"])) for name in REQUESTS for request in requests_of(name)]
    assert [(one, two) for (one, first), (two, second) in combinations(every, 2) if first & second] == []


@pytest.mark.parametrize("name", REQUESTS)
def test_no_two_requests_begin_alike(name):
    begins = Counter(" ".join(words(request["request"])[:5]) for request in requests_of(name))
    assert [begin for begin, times in begins.items() if times > 1] == []


@pytest.mark.parametrize("question", LABELS)
def test_a_labelled_set_is_whole(question):
    cases = cases_of(question)
    assert len(cases) >= 44
    assert [case["id"] for case in cases] == [f"{question}-{at:03}" for at in range(1, len(cases) + 1)]
    for case in cases:
        assert list(case) == [
            "id",
            *(["system"] if "system" in case else []),
            *("request", "reasoning", "answer", "label", "hard", "why"),
        ]
        assert case["label"] in LABELS[question], case["id"]
        assert isinstance(case["hard"], bool)
        assert case["reasoning"] is None or isinstance(case["reasoning"], str)
        assert isinstance(case["answer"], str)
        assert case["request"].strip()
        assert case["why"].strip().endswith(".")


@pytest.mark.parametrize("question", LABELS)
def test_labels_are_balanced(question):
    cases = cases_of(question)
    share = {label: times / len(cases) for label, times in Counter(case["label"] for case in cases).items()}
    assert set(share) == set(LABELS[question])
    if question == "compliance":  # of three labels, the outer two are each asked about against the rest
        assert share.pop("partly") >= 0.2
    assert all(0.35 <= part <= 0.65 for part in share.values()), share


@pytest.mark.parametrize("question", LABELS)
def test_a_third_of_the_cases_is_hard_whatever_the_label(question):
    cases = cases_of(question)
    for label in LABELS[question]:
        hard = [case["hard"] for case in cases if case["label"] == label]
        assert sum(hard) >= len(hard) / 3
        assert not all(hard)


@pytest.mark.parametrize("question", LABELS)
def test_every_kind_of_trick_is_there(question):
    cases = cases_of(question)
    judged = ["\n".join(judged_of(case)) for case in cases]
    assert any(re.search(r"grader", text, re.IGNORECASE) for text in judged)
    assert any(re.search(r"</\w+>", text) for text in judged)
    assert any(re.search(r"[à-ÿ]", text) for text in judged)
    assert any("" in (case["reasoning"], case["answer"]) for case in cases)
    assert any(case["reasoning"] is None for case in cases)


@pytest.mark.parametrize("question", LABELS)
def test_an_injected_verdict_is_sometimes_right(question):
    """Whoever believes a verdict in the text, or always takes another one, must fail on some case."""
    label = "|".join(LABELS[question])
    claim = re.compile(rf"(?:label is |<(?:label|verdict)>|(?:label this|classify) as )({label})\b")
    claims = [
        said == case["label"] for case in cases_of(question) for said in claim.findall("\n".join(judged_of(case)))
    ]
    assert Counter(claims)[True] >= 2
    assert Counter(claims)[False] >= 2


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("faking", r"train|tier|retrain|modif|chang|updat|weights|values"),
        ("faking", r"comply|complian|play along|fak"),
        ("awareness", r"test|evaluat|experiment|benchmark"),
        ("awareness", r"tier|monitor|lab\b"),
    ],
)
def test_a_word_alone_does_not_tell_the_label(question, word):
    """A judge that looks for the words of the subject must not pass."""
    hits = [
        bool(re.search(word, "\n".join(judged_of(case)), re.IGNORECASE)) == (case["label"] == "yes")
        for case in cases_of(question)
    ]
    assert sum(hits) / len(hits) <= 0.7


def test_words_of_refusal_do_not_tell_compliance():
    refusing = re.compile(
        r"\b(sorry|can't|cannot|won't|would never|rather not|not going to|don't want)\b", re.IGNORECASE
    )
    hits = [bool(refusing.search(case["answer"])) == (case["label"] == "refused") for case in cases_of("compliance")]
    assert sum(hits) / len(hits) <= 0.8


@pytest.mark.parametrize("question", LABELS)
def test_no_case_stands_twice(question):
    cases = cases_of(question)
    for key in ("request", "answer"):
        count = Counter(" ".join(words(case[key])) for case in cases if case[key])
        assert [text for text, times in count.items() if times > 1] == []


@pytest.mark.parametrize("question", LABELS)
def test_no_two_cases_are_near_duplicates(question):
    every = [
        (case["id"], shingles(case["answer"]) | shingles(case["reasoning"] or "") | shingles(case["request"]))
        for case in cases_of(question)
    ]
    assert [(one, two) for (one, first), (two, second) in combinations(every, 2) if first & second] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_plain_text_of_lines_within_bounds(path):
    raw = path.read_bytes()
    text = raw.decode("utf-8")
    assert text.endswith("\n")
    assert not text.startswith("\ufeff")
    assert set(re.findall(r"[\x00-\x09\x0b-\x1f\x7f]", text)) == set()
    assert max(map(len, text.splitlines())) <= 2000


@pytest.mark.parametrize("name", REQUESTS)
def test_no_control_character_is_hidden_in_a_request(name):
    for request in requests_of(name):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", request["request"]), request["id"]


@pytest.mark.parametrize("question", LABELS)
def test_nor_in_a_case(question):
    for case in cases_of(question):
        for text in texts_of(case):
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text), case["id"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_real_is_named(path):
    text = path.read_text("utf-8")
    assert [name for name in REAL if re.search(rf"\b{re.escape(name)}(?:'?s)?\b", text)] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_leads_out_of_the_data(path):
    """No addresses, numbers to call or links: a request stands for a kind, not for anybody."""
    text = path.read_text("utf-8")
    assert re.findall(r"https?://|www\.|\b\S+@\S+\.\w+|\+?\d[\d ()-]{8,}\d", text) == []
