pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt -o out --quiet >text
pare pick out --point 1 -o small --quiet >text
grep -c -e '^picked: point 1 of' -e '^written to small: model.onnx, model.pare, report.json' text && ls small
grep -A 2 '"picked": {' small/report.json
