pare inspect --input-shape image=1,1,0,8 open_shape.onnx
