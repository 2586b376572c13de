pare inspect empty.onnx
