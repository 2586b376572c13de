#include "runtime/codes.h"

/* Eight codes fill `bits` bytes. */
int32_t pare_packed_code(const uint8_t *data, unsigned bits, uint32_t index) {
    uint32_t at = (index & 7) * bits;
    return signed_bits(data + (size_t)(index >> 3) * bits + (at >> 3), at & 7, bits);
}
