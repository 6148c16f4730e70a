"""A pipeline made at import: tokens, rules and patterns, which need no model."""

import spacy
from spacy.matcher import Matcher

pipeline = spacy.blank("en")
pipeline.add_pipe("sentencizer")
ruler = pipeline.add_pipe("entity_ruler")
ruler.add_patterns([{"label": "HERD", "pattern": [{"LOWER": "the"}, {"LOWER": "herd"}]}])
matcher = Matcher(pipeline.vocab)
matcher.add("COUNT", [[{"LIKE_NUM": True}, {"IS_ALPHA": True}]])


def answer(number: int) -> str:
    text = f"The herd has {number} workers. It doesn't stop; word{number} is new."
    document = pipeline(text)
    tokens = [token.text for token in document]
    entities = [(each.text, each.label_) for each in document.ents]
    matches = [document[start:end].text for _, start, end in matcher(document)]
    return f"{tokens} {entities} {matches} {len(list(document.sents))}"
