"""The other side of bench/model.ts: `make MODEL` trains 100 trees, `run MODEL ROWS FILE` scores rows of floats and says how long it took."""

import json
import sys
import time

import numpy as np

inputs = 4


def make(path):
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType
    from sklearn.ensemble import GradientBoostingClassifier

    random = np.random.default_rng(1)
    rows = random.normal(600, 80, (20_000, inputs))
    outcome = (rows[:, 0] + rows[:, 1] - rows[:, 2] + random.normal(0, 60, len(rows)) > rows[:, 3]).astype(int)
    model = GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=1).fit(rows, outcome)
    made = convert_sklearn(model, initial_types=[("x", FloatTensorType([None, inputs]))], options={"zipmap": False}, target_opset=15)
    with open(path, "wb") as file:
        file.write(made.SerializeToString())


def run(path, block, file):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    rows = np.fromfile(file, dtype=np.float32).reshape(-1, inputs)
    session.run(["probabilities"], {"x": rows[:block]})
    found = np.empty(len(rows), dtype=np.float32)
    wall, own = time.perf_counter(), time.process_time()
    for first in range(0, len(rows), block):
        found[first : first + block] = session.run(["probabilities"], {"x": rows[first : first + block]})[0][:, 1]
    wall, own = time.perf_counter() - wall, time.process_time() - own
    found.tofile(file + ".out")
    print(json.dumps({"wall": wall, "own": own}))


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    run(sys.argv[2], int(sys.argv[3]), sys.argv[4])
