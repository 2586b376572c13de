/* links: fixed */
/* The loader and the run loop alone, fast enough for millions of files: one of a few hundred small well-formed files
 * (the first two bytes choose), single bytes changed (offset and value by threes), its end cut off now and then. */
#include "../unit/random_program.h"

#define FILES 512
#define LARGEST_FILE 800
#define LARGEST_WORK 1500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buffer files[FILES];

static bool is_small(const struct buffer *file) {
    struct pare_model model;
    return file->size <= LARGEST_FILE && pare_model_open(file->data, file->size, &model) == PARE_OK &&
           work_of(&model) <= LARGEST_WORK;
}

/* The first small one from a seed on. */
static const struct buffer *file_of_seed(uint64_t number) {
    struct buffer *file = &files[number];
    for (uint64_t seed = number; file->data == NULL; seed += FILES) {
        struct context ctx;
        struct random_program r;
        size_t peak;
        context_init(&ctx);
        random_seed(seed);
        random_program(&r);
        buffer_init(file);
        bool made = program_plan_arena(&ctx, &r.program, &peak) == PARE_OK &&
                    program_write(&ctx, &r.program, file) == PARE_OK && is_small(file);
        random_program_free(&r);
        if (!made) {
            buffer_free(file);
        }
    }
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 3) {
        return 0;
    }
    const struct buffer *file = file_of_seed(little_endian16(data, 0) % FILES);
    size_t cut = data[2] < 8 ? data[2] * file->size / 8 : file->size;
    uint8_t *copy = malloc(cut + 1);
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, file->data, cut);
    for (size_t i = 3; cut > 0 && i + 3 <= size; i += 3) {
        copy[little_endian16(data + i, 0) % cut] = data[i + 2];
    }
    if (cut >= sizeof(struct pare_file_header) && data[2] % 2 == 0) {
        ((struct pare_file_header *)(void *)copy)->size[0] = (uint8_t)(cut & 0xff);
        ((struct pare_file_header *)(void *)copy)->size[1] = (uint8_t)(cut >> 8 & 0xff);
    }
    repair_checksum(copy, cut);
    run_hostile(copy, cut, LARGEST_WORK);
    free(copy);
    return 0;
}
