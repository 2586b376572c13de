pare quantize sequence.onnx --data rows_of_8.npy --metric sqnr --max-drop 50% --bits 8 -o out --quiet 2>/dev/null | grep -e '^memory' -e '^parameters' -e '^not counted'
grep -e float_parameters -e '"parameter_bits"' out/report.json
