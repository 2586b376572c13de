pare run two_inputs.onnx --input middle=rows.npy -o y.npz
