pare quantize open_shape.onnx --data unlabelled.npz --scale 1/255 --max-drop 50pt --bits 8 -o out --quiet >text && pare inspect out/model.pare | head -n 3
