"""What onnxruntime in Python gives for rows of numbers, which come as JSON: native.py MODEL OUTPUT COLUMN."""

import json
import sys

import numpy as np
import onnxruntime

path, output, column = sys.argv[1], sys.argv[2], int(sys.argv[3])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
(taken,) = session.get_inputs()
kind = np.float64 if taken.type == "tensor(double)" else np.float32
with np.errstate(over="ignore"):
    rows = np.array([[np.nan if value is None else value for value in values] for values in json.load(sys.stdin)]).T.astype(kind)
(found,) = session.run([output], {taken.name: np.ascontiguousarray(rows)})
found = found.reshape(len(rows), -1)[:, column].astype(np.float64)
print(json.dumps([float(value) if np.isfinite(value) else None for value in found]))
