pare run two_inputs.onnx --input left=wide_rows.npy --input right=rows.npy -o y.npz
