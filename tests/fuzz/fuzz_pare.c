/* links: fixed */
/* Opens, runs, reads and rewrites .pare files: any bytes (first byte even), or a well-formed file made from a seed with
 * single bytes changed (first byte odd, two bytes of seed, then offset and value by threes). */
#include "../unit/random_program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "fuzz_pare: %s\n", what);
        abort();
    }
}

static void write_again(struct context *ctx, const struct program *p, struct buffer *out) {
    buffer_init(out);
    require(program_write(ctx, p, out) == PARE_OK, "a program that was read cannot be written");
}

/* The program itself lies in its arena. */
static void free_program(struct program *p) {
    struct arena *arena = p->arena;
    arena_free(arena);
    free(arena);
}

/* A file that reads also writes, and from then on to the same bytes. */
static void rewrite(const uint8_t *file, size_t size) {
    struct context ctx;
    struct program *first = NULL, *second = NULL;
    context_init(&ctx);
    if (program_read(&ctx, "fuzz", file, size, &first) != PARE_OK) {
        require(ctx.diag.message[0] != '\0', "a refusal without a message");
        return;
    }
    struct buffer once, twice;
    write_again(&ctx, first, &once);
    require(program_read(&ctx, "fuzz", once.data, once.size, &second) == PARE_OK, "what was written cannot be read");
    write_again(&ctx, second, &twice);
    require(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0, "two writings differ");
    buffer_free(&once);
    buffer_free(&twice);
    free_program(first);
    free_program(second);
}

static void try_file(uint8_t *file, size_t size) {
    repair_checksum(file, size);
    run_hostile(file, size, 1 << 20);
    rewrite(file, size);
}

static void try_raw(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size + 1);
    require(copy != NULL, "out of memory");
    memcpy(copy, data, size);
    try_file(copy, size);
    free(copy);
}

static void try_changed(const uint8_t *data, size_t size) {
    struct context ctx;
    struct random_program r;
    struct buffer file;
    size_t peak = 0;
    context_init(&ctx);
    random_seed(little_endian16(data, 0));
    random_program(&r);
    require(program_plan_arena(&ctx, &r.program, &peak) == PARE_OK, "a program cannot be planned");
    write_again(&ctx, &r.program, &file);
    for (size_t i = 2; i + 3 <= size; i += 3) {
        file.data[little_endian16(data + i, 0) % file.size] = data[i + 2];
    }
    try_file(file.data, file.size);
    buffer_free(&file);
    random_program_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 3 && data[0] % 2 == 1) {
        try_changed(data + 1, size - 1);
    } else if (size > 1) {
        try_raw(data + 1, size - 1);
    }
    return 0;
}
