pare inspect missing_external.onnx
