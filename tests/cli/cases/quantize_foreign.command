pare quantize foreign.onnx --data unlabelled.npz --scale 1/255 --max-drop 50pt --bits 8 -o out --quiet >text && tail -n 2 text && grep requantized out/report.json && pare inspect out/model.pare
