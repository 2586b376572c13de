pare check open_shape.onnx
