pare eval raw_pixels.onnx --data val.npz
