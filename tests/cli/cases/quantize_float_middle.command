pare quantize float_middle.onnx --data rows_of_8.npy --metric sqnr --max-drop 50% --bits 8 -o out --quiet 2>/dev/null | tail -n 2
