pare run two_inputs.onnx --input rows.npy -o y.npz
