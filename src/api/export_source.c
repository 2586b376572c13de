/* C sources from a program. */
#include "api/export.h"
#include "fixed/lifetimes.h"
#include "runtime/codes.h"
#include "runtime/model.h"

#include <string.h>

/* For C++ programs. */
#define EXTERN_BEGIN "#ifdef __cplusplus\nextern \"C\" {\n#endif\n"
#define EXTERN_END "#ifdef __cplusplus\n}\n#endif\n"

/* ---- model.h and model_data.c ---- */

/* A name inside of a comment: what could end the comment, or the line, becomes a question mark. */
static void write_name(struct buffer *out, const char *name) {
    for (; *name != 0; name++) {
        unsigned char c = (unsigned char)*name;
        write_u8(out, c < 0x20 || c == '*' || c == '\\' || c == '?' || c == 0x7f ? '?' : c);
    }
}

static void write_port(struct buffer *out, const char *title, uint32_t k, const struct pare_value *v,
                       const struct port *port) {
    char shape[256];
    write_format(out, "\n/* ");
    write_name(out, port->name);
    write_format(out, ", ");
    write_name(out, port_text(port, shape, sizeof shape));
    write_format(out, ": value = code * 2^-%d; codes of one sample, their bits, and bytes in all */\n", v->frac);
    write_format(out, "#define MODEL_%s_%u_COUNT %u\n", title, (unsigned)k, (unsigned)v->count);
    write_format(out, "#define MODEL_%s_%u_BITS %u\n", title, (unsigned)k, (unsigned)v->bits);
    write_format(out, "#define MODEL_%s_%u_SIGNED %d\n", title, (unsigned)k, v->is_signed);
    write_format(out, "#define MODEL_%s_%u_FRAC %d\n", title, (unsigned)k, v->frac);
    write_format(out, "#define MODEL_%s_%u_SIZE %zu\n", title, (unsigned)k, value_size(v));
}

static size_t largest_output(const struct program *p) {
    size_t largest = 1;
    for (uint32_t k = 0; k < p->output_count; k++) {
        size_t size = value_size(&p->values[p->outputs[k]]);
        largest = size > largest ? size : largest;
    }
    return largest;
}

uint32_t source_arena_size(const struct buffer *file) {
    const struct pare_file_header *header = (const struct pare_file_header *)(const void *)file->data;
    return little_endian32(header->arena_size, 0);
}

void source_model_header(struct buffer *out, const struct pare_network *n, const struct program *program,
                         const struct buffer *file) {
    write_format(out, "/* ");
    write_name(out, network_file_name(n));
    write_format(out, " as C, written by pare %s: sizes and formats. pare/runtime.h says how it runs. */\n",
                 pare_version());
    write_format(out, "#ifndef MODEL_H\n#define MODEL_H\n\n#include \"pare/runtime.h\"\n\n");
    write_format(out, "#define MODEL_SIZE %zu /* bytes in flash */\n", file->size);
    write_format(out, "#define MODEL_ARENA_SIZE %u /* bytes of memory while it runs */\n",
                 (unsigned)source_arena_size(file));
    write_format(out, "#define MODEL_INPUT_COUNT %u\n", (unsigned)program->input_count);
    write_format(out, "#define MODEL_OUTPUT_COUNT %u\n", (unsigned)program->output_count);
    write_format(out, "#define MODEL_LARGEST_OUTPUT_SIZE %zu\n", largest_output(program));
    for (uint32_t k = 0; k < program->input_count; k++) {
        write_port(out, "INPUT", k, &program->values[program->inputs[k]], &n->inputs[k]);
    }
    for (uint32_t k = 0; k < program->output_count; k++) {
        write_port(out, "OUTPUT", k, &program->values[program->outputs[k]], &n->outputs[k]);
    }
    write_format(out, "\n/* The .pare file without names and metadata. */\n" EXTERN_BEGIN
                      "extern const uint8_t model_file[MODEL_SIZE];\n" EXTERN_END "\n#endif\n");
}

/* Numbers between braces, so many on a line that it stays readable. */
static void write_number(struct buffer *out, size_t index, int32_t number) {
    write_format(out, "%s%d,", index % 24 == 0 ? "\n    " : "", (int)number);
}

void source_model(struct buffer *out, const struct buffer *file) {
    write_format(out, "#include \"model.h\"\n\nconst uint8_t model_file[MODEL_SIZE] = {");
    for (size_t i = 0; i < file->size; i++) {
        write_number(out, i, file->data[i]);
    }
    write_format(out, "\n};\n");
}

/* ---- test_vector.h and test_vector.c ---- */

void source_vector_header(struct buffer *out, const struct test_vector *vector) {
    write_format(out, "/* Samples as codes, and the codes that pare computed from them. */\n#ifndef TEST_VECTOR_H\n"
                      "#define TEST_VECTOR_H\n\n#include \"model.h\"\n\n");
    write_format(out, "#define TEST_SAMPLE_COUNT %zu\n\n", vector->count);
    write_format(out, EXTERN_BEGIN
                 "extern const void *const test_inputs[TEST_SAMPLE_COUNT][MODEL_INPUT_COUNT];\n"
                 "extern const void *const test_outputs[TEST_SAMPLE_COUNT][MODEL_OUTPUT_COUNT];\n" EXTERN_END
                 "\n#endif\n");
}

static void write_codes(struct buffer *out, const char *side, size_t sample, uint32_t k, const struct pare_value *v,
                        const void *data) {
    static const char *const types[] = {
        [PARE_U8] = "uint8_t", [PARE_I8] = "int8_t", [PARE_U16] = "uint16_t", [PARE_I16] = "int16_t"};
    struct codes codes = codes_of(data, v->storage, false);
    write_format(out, "static const %s %s_%zu_%u[%u] = {", types[v->storage], side, sample, (unsigned)k,
                 (unsigned)v->count);
    for (uint32_t i = 0; i < v->count; i++) {
        write_number(out, i, code_at(&codes, i));
    }
    write_format(out, "\n};\n");
}

static void write_side(struct buffer *out, const char *side, const struct program *p, const uint32_t *values,
                       uint32_t count, void *const *data, size_t samples) {
    for (size_t s = 0; s < samples; s++) {
        for (uint32_t k = 0; k < count; k++) {
            write_codes(out, side, s, k, &p->values[values[k]], data[s * count + k]);
        }
    }
    write_format(out, "\nconst void *const test_%ss[][MODEL_%s_COUNT] = {\n", side,
                 strcmp(side, "input") == 0 ? "INPUT" : "OUTPUT");
    for (size_t s = 0; s < samples; s++) {
        write_format(out, "    {");
        for (uint32_t k = 0; k < count; k++) {
            write_format(out, "%s%s_%zu_%u", k > 0 ? ", " : "", side, s, (unsigned)k);
        }
        write_format(out, "},\n");
    }
    write_format(out, "};\n\n");
}

void source_vector(struct buffer *out, const struct program *program, const struct test_vector *vector) {
    write_format(out, "#include \"test_vector.h\"\n\n");
    write_side(out, "input", program, program->inputs, program->input_count, vector->inputs, vector->count);
    write_side(out, "output", program, program->outputs, program->output_count, vector->outputs, vector->count);
}

/* ---- runtime/kinds.h ---- */

static void write_kinds(struct buffer *out, const struct program *p) {
    static const char *const names[PARE_KIND_COUNT] = {
        [PARE_CONV] = "CONV",
        [PARE_CONV_TRANSPOSE] = "CONV_TRANSPOSE",
        [PARE_DENSE] = "DENSE",
        [PARE_MATMUL] = "MATMUL",
        [PARE_ADD] = "ADD",
        [PARE_MUL] = "MUL",
        [PARE_PRELU] = "PRELU",
        [PARE_CONCAT] = "CONCAT",
        [PARE_MAX_POOL] = "MAX_POOL",
        [PARE_AVERAGE_POOL] = "AVERAGE_POOL",
        [PARE_REDUCE_MEAN] = "REDUCE_MEAN",
        [PARE_TABLE] = "TABLE",
        [PARE_REQUANTIZE] = "REQUANTIZE",
        [PARE_COPY] = "COPY",
        [PARE_GATHER] = "GATHER",
    };
    bool used[PARE_KIND_COUNT] = {false}, wide = false, long_factors = false, addends = false;
    for (uint32_t i = 0; i < p->op_count; i++) {
        used[p->ops[i].kind] = true;
        wide = wide || pare_op_is_wide(&p->ops[i], p->values);
        addends = addends || (p->ops[i].kind == PARE_CONV && p->ops[i].input_count == 2);
        long_factors = long_factors || pare_op_has_long_factors(&p->ops[i], p->values);
    }
    write_format(out, "#define PARE_KINDS (0");
    for (int kind = 0; kind < PARE_KIND_COUNT; kind++) {
        if (used[kind] && names[kind] != NULL) {
            write_format(out, " | PARE_KIND(%s)", names[kind]);
        }
    }
    write_format(out, ")\n#define PARE_WIDE %d\n#define PARE_LONG_FACTORS %d\n#define PARE_ADDENDS %d\n", wide,
                 long_factors, addends);
    write_format(out, "#define PARE_KERNELS pare_block_kernels\n\n");
}

void source_kinds(struct buffer *out, const struct program *program, const char *all, size_t size) {
    static const char defaults[] = "#ifndef PARE_KINDS\n";
    size_t before = 0, length = sizeof defaults - 1;
    while (before + length < size && memcmp(all + before, defaults, length) != 0) {
        before++;
    }
    write_bytes(out, all, before);
    write_kinds(out, program);
    write_bytes(out, all + before, size - before);
}
