pare check --input-shape image=N,1,8,8 open_shape.onnx
