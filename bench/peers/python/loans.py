"""The loan job of the Python peers: Avro in and out, and the three features as running sums over a ring of the last hundred scores."""
import io
import json
from math import floor

import fastavro

FRAME = 18
ALPHA = 2 / 51


def rounded(value):
    return floor(value * 1000 + 0.5) / 1000


class Features:
    def __init__(self):
        self.ring = [None] * 100
        self.rows = self.short_count = self.long_count = 0
        self.short_sum = self.long_sum = 0.0
        self.ema = None

    def add(self, loan):
        """Adds ma50, ma100 and ema50 to the loan."""
        score, ring, rows = loan["risk_score"], self.ring, self.rows
        if rows >= 100 and (gone := ring[rows % 100]) is not None:
            self.long_sum -= gone
            self.long_count -= 1
        if rows >= 50 and (gone := ring[(rows - 50) % 100]) is not None:
            self.short_sum -= gone
            self.short_count -= 1
        ring[rows % 100] = score
        self.rows = rows + 1
        if score is not None:
            self.short_sum += score
            self.short_count += 1
            self.long_sum += score
            self.long_count += 1
            self.ema = score if self.ema is None else self.ema + ALPHA * (score - self.ema)
        loan["ma50"] = rounded(self.short_sum / self.short_count) if self.short_count else None
        loan["ma100"] = rounded(self.long_sum / self.long_count) if self.long_count else None
        loan["ema50"] = None if self.ema is None else rounded(self.ema)
        return loan


def codec(in_file, out_file):
    """decode takes off the frame; encode writes none."""
    with open(in_file) as loan, open(out_file) as row:
        # Days as numbers: nobody looks at the date, so nobody needs to make one.
        into, out = (fastavro.parse_schema(without_logical_types(json.load(one))) for one in (loan, row))
    read, write = fastavro.schemaless_reader, fastavro.schemaless_writer

    def decode(message):
        return read(io.BytesIO(message[FRAME:]), into, None)

    def encode(loan):
        buffer = io.BytesIO()
        write(buffer, out, loan)
        return buffer.getvalue()

    return decode, encode


def without_logical_types(schema):
    fields = [{**field, "type": field["type"]["type"] if isinstance(field["type"], dict) else field["type"]} for field in schema["fields"]]
    return {**schema, "fields": fields}
