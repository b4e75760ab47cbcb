"""The loan job in Bytewax: python -m bytewax.run bytewax_loans:flow. Its Kafka sink knows no transactions: at least once."""
import os

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kafka
from bytewax.dataflow import Dataflow

from loans import Features, codec

decode, encode = codec(os.environ["IN_SCHEMA"], os.environ["OUT_SCHEMA"])
brokers = [os.environ["BROKERS"]]


def enrich(features, message):
    features = features or Features()
    return features, KafkaSinkMessage(None, encode(features.add(decode(message))))


flow = Dataflow("loans")
source = kafka.input("in", flow, brokers=brokers, topics=[os.environ["INFLOW"]], tail=False, batch_size=5000)
keyed = op.map("key", source.oks, lambda message: ("loans", message.value))
rows = op.stateful_map("enrich", keyed, enrich)
kafka.output("out", op.map("unkey", rows, lambda pair: pair[1]), brokers=brokers, topic=os.environ["OUTFLOW"])
