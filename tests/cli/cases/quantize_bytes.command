pare check bytes.onnx | tail -n 4
pare quantize bytes.onnx --data unlabelled.npz --max-drop 50pt --bits 8 -o out --quiet >text && pare inspect out/model.pare | head -n 3
