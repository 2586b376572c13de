pare quantize cnn.onnx --data val.npz
