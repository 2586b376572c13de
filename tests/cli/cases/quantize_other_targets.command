pare quantize cnn.onnx --data targets.npz --scale 1/255 -o out; echo $?
pare quantize cnn.onnx --data targets.npz --scale 1/255 --metric sqnr --bits 8 -o out --quiet | grep -e '^bound'
