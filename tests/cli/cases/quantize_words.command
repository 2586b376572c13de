pare quantize words.onnx --data ids.npy --metric sqnr -o out; echo $?; ls out
