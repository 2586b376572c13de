pare quantize cnn.onnx --data val.npz --bits 1..8 -o out
