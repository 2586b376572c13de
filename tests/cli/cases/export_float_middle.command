pare quantize float_middle.onnx --data rows_of_8.npy --metric sqnr --max-drop 50% --bits 8 -o out --quiet >text; ls out
for form in c pare; do pare export out/model.onnx --to $form -o device; echo $?; done
