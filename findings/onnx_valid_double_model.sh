#!/usr/bin/env bash
# Expected: a model that the ONNX checker finds valid runs in ONNX Runtime on a CPU, the reference of all its devices.
# Found: of the usual activations in float64, Relu, Sigmoid and Tanh run, while LeakyRelu, Elu, Selu, Softplus, Gelu
#   and Erf, which the standard defines for float64 just as well, are refused when the model is loaded: not
#   implemented.
# Version: onnx 1.23.2, onnxruntime 1.32.0, opset 20.
# Consequence: a small network trained in float64 (for second-order methods, say) can be exported and checked, and
#   then runs or not depending on its activation. Try to load the model as a part of exporting it.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq onnx==1.23.2 onnxruntime==1.32.0 numpy==2.5.5
"$folder/venv/bin/python" - <<'PY' 2>/dev/null
import onnx
import onnxruntime
from onnx import TensorProto, helper

runs = {name: [] for name in ("float32", "float64")}
names = ("Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Selu", "Softplus", "Gelu", "Erf")
for dtype, kind in (("float32", TensorProto.FLOAT), ("float64", TensorProto.DOUBLE)):
    for name in names:
        ends = [helper.make_tensor_value_info(end, kind, [1]) for end in "xy"]
        graph = helper.make_graph([helper.make_node(name, ["x"], ["y"])], "graph", ends[:1], ends[1:])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        try:
            onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
            runs[dtype].append(name)
        except Exception as error:
            assert "NOT_IMPLEMENTED" in str(error)
print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
print("valid in both types:", *names)
print("loads in float32:   ", *runs["float32"])
print("loads in float64:   ", *runs["float64"])
assert runs["float32"] == list(names) and runs["float64"] == list(names[:3]), "the behaviour changed"
PY
