pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt --time-limit 0.000001s -o out --quiet | grep -o 'stopped.*'
grep stopped out/report.json
