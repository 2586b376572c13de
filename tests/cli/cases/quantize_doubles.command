pare quantize doubles.onnx --data rows_of_8.npy --metric sqnr --max-drop 50% --bits 8 -o out --quiet >text && pare inspect out/model.onnx | head -n 3
