pare inspect leaving_external.onnx
