pare quantize cnn.onnx --data gone.npz -o out
