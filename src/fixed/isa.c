#include "fixed/isa.h"

#include <string.h>

const struct isa *const isa_all[] = {
    &isa_portable,
#if defined(__x86_64__)
    &isa_avx2,
    &isa_avx512_vnni,
#endif
};
const size_t isa_count = sizeof isa_all / sizeof isa_all[0];

const struct isa *isa_best(void) {
    size_t best = 0;
    for (size_t i = 1; i < isa_count; i++) {
        if (isa_all[i]->available()) {
            best = i;
        }
    }
    return isa_all[best];
}

const struct isa *isa_by_name(const char *name) {
    for (size_t i = 0; i < isa_count; i++) {
        if (strcmp(isa_all[i]->name, name) == 0 && isa_all[i]->available()) {
            return isa_all[i];
        }
    }
    return NULL;
}
