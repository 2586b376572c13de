pare run two_inputs.onnx --input left=rows.npy -o y.npz
