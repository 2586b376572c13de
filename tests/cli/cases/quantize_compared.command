pare quantize compared.onnx --data rows_of_8.npy --metric sqnr -o out; echo $?; ls out
