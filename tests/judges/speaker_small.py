"""A small speaker model of the tests, in the format that sherpa-onnx reads."""

from __future__ import annotations

from pathlib import Path

import pytest


def speaker_model(path: Path) -> None:
    """The mean of 80 log-mel bands is the embedding, less its own mean.

    Of the embedded voices f2 is 0.9 like itself and like f5, 0.5 like m3, and 0.3 like m7.
    """
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("sherpa_onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("ReduceMean", ["mean"], ["level"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["mean", "level"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes, "speaker",
        [helper.make_tensor_value_info("x", floats, [1, "frames", 80])],
        [helper.make_tensor_value_info("embedding", floats, [1, 80])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    facts = {
        "framework": "3d-speaker", "language": "nb", "sample_rate": "16000", "output_dim": "80",
        "normalize_samples": "1", "feature_normalize_type": "", "comment": "a stand-in",
    }  # fmt: skip
    for key, value in facts.items():
        model.metadata_props.append(onnx.StringStringEntryProto(key=key, value=value))
    onnx.save(model, str(path))
