/* usage: bench_load [MEGABYTES] [FOLDER]: how long a model takes to be parsed, checked and written back, and at which
 * peak of memory, beside Python's onnx.load and onnx.save where they are installed. The model is made here: dense
 * layers with weights from a seed. */
#define _DEFAULT_SOURCE /* wait4 */ // NOLINT(bugprone-reserved-identifier)

#include "base/file.h"
#include "graph/op.h"
#include "onnx/onnx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define WIDTH 1024 /* a layer has WIDTH x WIDTH float32 weights: 4 MiB */
#define ROUNDS 5

static struct context ctx;

static enum pare_status add_layer(struct graph *g, int index, struct value **x) {
    struct tensor t;
    struct value *inputs[2] = {*x, NULL}, *y = NULL;
    char name[32];
    uint64_t seed = (uint64_t)index;
    (void)snprintf(name, sizeof name, "weight_%d", index);
    TRY(tensor_new(&ctx, g->arena, DTYPE_FLOAT, &(struct shape){2, {WIDTH, WIDTH}}, &t));
    for (size_t i = 0; i < tensor_count(&t); i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        ((float *)t.data)[i] = (float)(int32_t)(seed >> 32) * 0x1p-36F;
    }
    TRY(graph_add_constant(&ctx, g, name, &t, &inputs[1]));
    TRY(graph_add_value(&ctx, g, NULL, "y", &y));
    *x = y;
    return graph_add_node(&ctx, g, op_find("MatMul"), NULL, inputs, 2, &y, 1, NULL, NULL);
}

static enum pare_status build(struct graph *g, int layers) {
    struct value *x = NULL;
    TRY(graph_add_value(&ctx, g, "x", NULL, &x));
    x->type = DTYPE_FLOAT;
    x->rank = 2;
    x->dims[0] = (struct dim){.value = -1, .symbol = graph_symbol(g, "N")};
    x->dims[1] = (struct dim){.value = WIDTH};
    TRY(graph_add_input(&ctx, g, x));
    for (int i = 0; i < layers; i++) {
        TRY(add_layer(g, i, &x));
    }
    TRY(graph_add_output(&ctx, g, x));
    return graph_infer(&ctx, g);
}

static enum pare_status make_model(const char *path, int megabytes, uint64_t *size) {
    struct graph *g = NULL;
    TRY(graph_new(&ctx, "dense", &g));
    enum pare_status status = build(g, (megabytes + 3) / 4);
    if (status == PARE_OK) {
        status = onnx_write_file(&ctx, g, NULL, path, size);
    }
    graph_free(g);
    return status;
}

/* Parsed, checked (onnx_read verifies and infers), written. */
static enum pare_status load_and_write(const char *from, const char *to) {
    struct graph *g = NULL;
    uint64_t size = 0;
    TRY(onnx_read(&ctx, from, &g));
    enum pare_status status = onnx_write_file(&ctx, g, NULL, to, &size);
    graph_free(g);
    return status;
}

struct measured {
    double seconds, megabytes; /* the least time, the most memory */
    bool done;
};

static int run_child(char **python, const char *from, const char *to) {
    if (python == NULL) {
        return load_and_write(from, to) == PARE_OK ? 0 : 1;
    }
    execvp(python[0], python);
    return 127;
}

/* In a process of its own, whose peak the system knows. */
static void measure(char **python, const char *from, const char *to, struct measured *out) {
    struct rusage usage = {0};
    int status = 0;
    double begin = monotonic_seconds();
    pid_t child = fork();
    if (child == 0) {
        _exit(run_child(python, from, to));
    }
    out->done = child > 0 && wait4(child, &status, 0, &usage) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    double seconds = monotonic_seconds() - begin, peak = (double)usage.ru_maxrss / 1024;
    out->seconds = out->seconds == 0 || seconds < out->seconds ? seconds : out->seconds;
    out->megabytes = peak > out->megabytes ? peak : out->megabytes;
}

static void print(const char *name, const struct measured *m, double megabytes) {
    if (m->done) {
        printf("%-26s %7.3f s  %8.1f MB peak, %.2f times the file\n", name, m->seconds, m->megabytes,
               m->megabytes / megabytes);
    } else {
        printf("%-26s could not be run\n", name);
    }
}

static void compare(const char *from, const char *to, double megabytes) {
    static char load[] = "import onnx,sys; onnx.save(onnx.load(sys.argv[1]), sys.argv[2])";
    static char nothing[] = "import onnx";
    char *python[] = {"python3", "-c", load, (char *)from, (char *)to, NULL};
    char *import[] = {"python3", "-c", nothing, NULL};
    struct measured ours = {0}, theirs = {0}, start = {0};
    for (int i = 0; i < ROUNDS; i++) {
        measure(NULL, from, to, &ours);
        measure(python, from, to, &theirs);
        measure(import, from, to, &start);
    }
    print("pare", &ours, megabytes);
    print("onnx.load and onnx.save", &theirs, megabytes);
    if (ours.done && theirs.done && start.done) {
        double own = theirs.seconds - start.seconds;
        printf("without the start of Python (%.3f s): %.3f s; pare takes %.2f of that\n", start.seconds, own,
               ours.seconds / own);
    }
}

/* And its weights, where they are beside it. */
static void remove_model(const char *path) {
    char data[4200];
    (void)snprintf(data, sizeof data, "%s.data", path);
    remove(path);
    remove(data);
}

int main(int argc, char **argv) {
    int megabytes = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 100;
    const char *folder = argc > 2 ? argv[2] : ".";
    char from[4096], to[4096];
    uint64_t size = 0;
    context_init(&ctx);
    (void)snprintf(from, sizeof from, "%s/bench_load.onnx", folder);
    (void)snprintf(to, sizeof to, "%s/bench_load_again.onnx", folder);
    if (megabytes < 1 || make_model(from, megabytes, &size) != PARE_OK) {
        fprintf(stderr, "%s\n", megabytes < 1 ? "usage: bench_load [MEGABYTES] [FOLDER]" : ctx.diag.message);
        return 1;
    }
    printf("a model of %.1f MB, the best of %d\n", (double)size / (1 << 20), ROUNDS);
    fflush(stdout);
    compare(from, to, (double)size / (1 << 20));
    remove_model(from);
    remove_model(to);
    return 0;
}
