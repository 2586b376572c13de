pare quantize cnn.onnx --data three_channels.npz --scale 1/255 -o out; ls out
