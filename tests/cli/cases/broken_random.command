pare inspect random.onnx
