pare quantize cnn.onnx --data val.npz --scale 1/255 --max-drop 30pt --bits 8 -o out --quiet >text
pare export out/model.pare -o firmware && pare export out/model.pare --to pare -o small.pare
pare export out/model.pare --name kws -o kws --json && pare export out/model.pare -o silent --quiet && ls kws
