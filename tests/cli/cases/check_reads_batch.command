pare check reads_batch.onnx
