"""Vectors of the assignment hash, from an implementation that shares nothing with ours.

    python3 test/core/fnv_vectors.py > test/core/fnv_vectors.json

FNV-1a of 32 bits as draft-eastlake-fnv states it, over the UTF-16 code units of
the text (one step a unit, as GrowthBook's JavaScript SDK does it); a bucket is
fnv1a32(decimal(fnv1a32(salt + key))) mod 10000.
"""

import json

TEXTS = [
    "",
    "a",
    "foobar",
    "0",
    "4294967295",
    "user-42",
    "iris-apiuser-42",
    "with space\tand\nline",
    "\u0000",
    "\u007f\u0080\u00ff",
    "caf\u00e9",
    "cafe\u0301",
    "na\u00efve stra\u00dfe",
    "\u03b1\u03b2\u03b3",
    "\u65e5\u672c\u8a9e",
    "\uffff",
    "\U0001f600",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0010ffff",
    "\ud800",
    "\udc00\ud800",
    "x" * 1000,
    "\u20ac" * 300,
]

SALTS = ["", "iris-api", "checkout", "\u65e5", "\U0001f600"]

KEYS = ["", "1", "u42", "user-42", "alice@example.com", "10.0.0.1", "2001:db8::", "J\u00fcrgen", "\U0001f98a", "\ud83e"]


def code_units(text):
    raw = text.encode("utf-16-le", "surrogatepass")
    return [raw[i] + 256 * raw[i + 1] for i in range(0, len(raw), 2)]


def fnv1a32(text):
    value = 2166136261
    for unit in code_units(text):
        value = (value ^ unit) * 16777619 % 4294967296
    return value


def bucket(salt, key):
    return fnv1a32("%d" % fnv1a32(salt + key)) % 10000


print(
    json.dumps(
        {
            "hashes": [{"text": text, "hash": fnv1a32(text)} for text in TEXTS],
            "buckets": [
                {"salt": salt, "key": key, "bucket": bucket(salt, key)} for salt in SALTS for key in KEYS
            ],
        },
        indent=2,
    )
)
