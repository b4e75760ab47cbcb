"""A Feast repository with the benchmark's features: store.py FOLDER ONLINE_STORE_JSON CSV writes its config, registry and online store."""

import json
import sys
from datetime import timedelta
from pathlib import Path

import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.types import Float64

folder, online, rows = Path(sys.argv[1]), json.loads(sys.argv[2]), pd.read_csv(sys.argv[3])
names = {"a": "score", "b": "ma50", "c": "ma100", "d": "ema50"}
frame = rows.rename(columns=names)
frame["event_timestamp"] = pd.to_datetime(frame.pop("day"), utc=True)
frame["created"] = frame["event_timestamp"]
folder.mkdir(parents=True, exist_ok=True)
frame.to_parquet(folder / "rows.parquet")
(folder / "feature_store.yaml").write_text(
    json.dumps(
        {
            "project": "bench",
            "provider": "local",
            "registry": str(folder / "registry.db"),
            "online_store": online,
            "entity_key_serialization_version": 3,
        }
    )
)
store = FeatureStore(repo_path=str(folder))
customer = Entity(name="customer", join_keys=["customer"], value_type=ValueType.STRING)
source = FileSource(
    path=str(folder / "rows.parquet"), timestamp_field="event_timestamp", created_timestamp_column="created"
)
view = FeatureView(
    name="loan_risk",
    entities=[customer],
    ttl=timedelta(days=0),
    schema=[Field(name=name, dtype=Float64) for name in names.values()],
    source=source,
)
store.apply([customer, view])
store.write_to_online_store("loan_risk", frame)
