"""The loan job by hand with confluent-kafka: a transaction for each batch, offsets inside; the features live in memory only."""
import sys

from confluent_kafka import Consumer, Producer, TopicPartition

from loans import Features, codec

brokers, inflow, outflow, name, in_schema, out_schema = sys.argv[1:7]
decode, encode = codec(in_schema, out_schema)
consumer = Consumer({
    "bootstrap.servers": brokers, "group.id": name, "auto.offset.reset": "earliest", "enable.auto.commit": False, "isolation.level": "read_committed",
})
producer = Producer({"bootstrap.servers": brokers, "transactional.id": name, "linger.ms": 5, "batch.size": 262144, "queue.buffering.max.messages": 500000})
consumer.subscribe([inflow])
producer.init_transactions()
features = Features()
while True:
    messages = consumer.consume(10000, 0.2)
    good = [message for message in messages if not message.error()]
    if not good:
        continue
    producer.begin_transaction()
    for message in good:
        producer.produce(outflow, encode(features.add(decode(message.value()))), message.key())
    producer.send_offsets_to_transaction([TopicPartition(inflow, 0, good[-1].offset() + 1)], consumer.consumer_group_metadata())
    producer.commit_transaction()
