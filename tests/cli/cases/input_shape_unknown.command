pare inspect --input-shape picture=1,1,8,8 open_shape.onnx
