pare inspect --input-shape 1,3,8,8 open_shape.onnx
