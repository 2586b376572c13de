pare inspect unknown_operators.onnx
