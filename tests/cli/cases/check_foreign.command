pare check foreign.onnx
