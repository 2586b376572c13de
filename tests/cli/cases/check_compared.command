pare check compared.onnx | tail -n 5; pare check compared.onnx >text
