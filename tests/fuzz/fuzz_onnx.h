/* The entry point that libFuzzer calls. */
#ifndef TEST_FUZZ_ONNX_H
#define TEST_FUZZ_ONNX_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
