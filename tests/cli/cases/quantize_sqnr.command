pare quantize cnn.onnx --data unlabelled.npz --metric sqnr --scale 1/255 -o out --quiet | grep -e '^sqnr:' -e '^bound'
grep -c -e '"float": null' -e '"drop_[a-z]*": null' -e '"discordant": null' out/report.json
