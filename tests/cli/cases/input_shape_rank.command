pare inspect --input-shape 1,8,8 open_shape.onnx
