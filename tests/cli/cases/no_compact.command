pare quantize float_middle.onnx --data rows_of_8.npy --metric sqnr --max-drop 50% --bits 8 -o out --quiet >text 2>&1
for model in out out/model.pare no/model.pare; do pare export $model -o firmware; echo $?; done
cd out && pare inspect model.pare
