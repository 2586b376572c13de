pare inspect open_shape.onnx
