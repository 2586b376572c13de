/* usage: replay_pare [FILE...]: runs the fuzz target on files, or on seeded changes to generated programs. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 5000
#define MOST_CHANGES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state = 1;

static uint8_t random_byte(void) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint8_t)(state >> 40);
}

/* The target's form of a generated program with a few bytes changed, most of them in its records. */
static size_t random_input(uint8_t *data) {
    size_t size = 0;
    data[size++] = 1;
    data[size++] = random_byte();
    data[size++] = random_byte();
    for (int changes = random_byte() % (MOST_CHANGES + 1); changes > 0; changes--) {
        data[size++] = random_byte();
        data[size++] = random_byte() % 8 == 0 ? random_byte() : random_byte() % 3;
        data[size++] = random_byte();
    }
    return size;
}

static int replay_file(const char *path) {
    static uint8_t data[1 << 20];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be opened\n", path);
        return EXIT_FAILURE;
    }
    size_t size = fread(data, 1, sizeof(data), file);
    fclose(file);
    return LLVMFuzzerTestOneInput(data, size);
}

int main(int argc, char **argv) {
    uint8_t data[3 + 3 * MOST_CHANGES];
    int status = EXIT_SUCCESS;
    for (int i = 1; i < argc; i++) {
        status |= replay_file(argv[i]);
    }
    for (int i = 0; argc == 1 && i < ROUNDS; i++) {
        status |= LLVMFuzzerTestOneInput(data, random_input(data));
    }
    return status;
}
