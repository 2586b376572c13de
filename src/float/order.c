#include "float/order.h"

#include "float/integer.h"

#include <string.h>

static void merge(size_t *positions, size_t middle, size_t count, size_t *spare, order_before *before,
                  const void *user) {
    size_t left = 0, right = middle;
    for (size_t i = 0; i < count; i++) {
        bool from_right = left == middle || (right < count && before(user, positions[right], positions[left]));
        spare[i] = positions[from_right ? right++ : left++];
    }
    memcpy(positions, spare, count * sizeof *positions);
}

/* Bottom up: runs of one, two, four, ... */
void order_sort(size_t *positions, size_t count, size_t *spare, order_before *before, const void *user) {
    for (size_t run = 1; run < count; run *= 2) {
        for (size_t begin = 0; begin + run < count; begin += 2 * run) {
            size_t length = count - begin < 2 * run ? count - begin : 2 * run;
            merge(positions + begin, run, length, spare, before, user);
        }
    }
}

int elements_compare(const struct tensor *t, size_t a, size_t b) {
    if (dtype_is_float(t->type)) {
        double x = tensor_get_double(t, a), y = tensor_get_double(t, b);
        return (x > y) - (x < y);
    }
    int64_t x = integer_key(integer_load(t, a), t->type), y = integer_key(integer_load(t, b), t->type);
    return (x > y) - (x < y);
}
