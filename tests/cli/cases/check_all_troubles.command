pare check all_troubles.onnx
