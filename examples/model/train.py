"""Trains a model on a training set of Tidemark and writes it as ONNX: train.py TRAINING.csv MODEL.onnx INPUT…

Needs scikit-learn and skl2onnx. The last column of the file is what is to be foretold, 0 or 1.
"""

import sys

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

path, out, *inputs = sys.argv[1:]
table = np.genfromtxt(path, delimiter=",", names=True)
rows = np.column_stack([table[name] for name in inputs])
outcome = table[table.dtype.names[-1]]

# The last fifth, by time, is what it has not seen.
split = len(rows) * 4 // 5
model = make_pipeline(SimpleImputer(), GradientBoostingClassifier(n_estimators=100, random_state=1))
model.fit(rows[:split], outcome[:split])
seen = roc_auc_score(outcome[split:], model.predict_proba(rows[split:])[:, 1])

# One input of all columns, in their order, and tensors out: a map of classes would be none.
types = [("x", FloatTensorType([None, len(inputs)]))]
made = convert_sklearn(model, "risk", initial_types=types, options={"zipmap": False}, target_opset=15)
with open(out, "wb") as file:
    file.write(made.SerializeToString())
print(f"trained on {split} rows; area under the curve of the {len(rows) - split} that came later: {seen:.3f}")
