cp val.npz again.npz
pare quantize cnn.onnx --data val.npz --test again.npz --scale 1/255 -o new/out; test -e new && ls new
