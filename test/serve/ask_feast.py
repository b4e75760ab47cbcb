"""Asks a server by Feast's own client, whose registry is empty: each line of input is a request, each line of output what came of it."""

import json
import sys
from pathlib import Path

from feast import FeatureStore

folder, address = Path(sys.argv[1]), sys.argv[2]
(folder / "feature_store.yaml").write_text(
    f"""
project: tidemark
provider: local
registry: {folder}/registry.db
online_store:
  type: remote
  path: {address}
entity_key_serialization_version: 3
"""
)
store = FeatureStore(repo_path=str(folder))
for line in sys.stdin:
    try:
        answer = store.get_online_features(**json.loads(line)).to_dict()
    except Exception as error:  # whatever the client makes of a refusal
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
