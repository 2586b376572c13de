pare inspect gone.onnx
