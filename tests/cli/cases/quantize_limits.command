pare quantize cnn.onnx --data val.npz --scale 1/255 --flash-max 1.1KB --bitops-max 100K -o out --quiet | grep -o -e '^limit of .*: held' -e '^bound'
test $(wc -c <out/model.pare) -le 1126 && grep -A 3 -e '"limits"' -e '"max_drop"' out/report.json
