pare eval two_inputs.onnx --data protos
mkdir many && cp -r protos many/set_1 && cp -r protos many/set_0 && pare eval two_inputs.onnx --data many
pare eval two_inputs.onnx --data no_protos
