from __future__ import annotations
import re


def cited_ids(text):
    return re.findall(r"\bE\d+\b", text)


def unknown_ids(text, known):
    return [i for i in dict.fromkeys(cited_ids(text)) if i not in known]


def sentences_without_evidence(text):
    return [] if cited_ids(text) else [text]


def places(text):
    return [(m[1], int(m[2])) for m in re.finditer(r"([\w./-]+\.\w+):(\d+)", text)]


def mark(text, known, refuted, wrong):
    for i in unknown_ids(text, known):
        text = re.sub(rf"\b{i}\b", f"{i} **(no such evidence)**", text)
    return text
