#include "report/evaluation.h"

#include "report/json.h"

#include <math.h>

static double share(const struct evaluation *e, size_t part) {
    return e->samples > 0 ? (double)part / (double)e->samples : 0;
}

static void print_share(struct buffer *out, const struct evaluation *e, const char *name, size_t part) {
    write_format(out, "%s: %.2f %% (%zu of %zu)\n", name, 100 * share(e, part), part, e->samples);
}

enum pare_status evaluation_text(struct context *ctx, const struct evaluation *e, struct buffer *out) {
    write_format(out, "%s (%s) on %s: %zu sample%s\n", e->file, e->kind, e->data, e->samples,
                 e->samples == 1 ? "" : "s");
    if (e->labelled) {
        print_share(out, e, "top1", e->right_top1);
        if (e->classes > 5) {
            print_share(out, e, "top5", e->right_top5);
        }
    }
    if (e->reference != NULL) {
        write_format(out, "against %s:\n", e->reference);
        print_share(out, e, "agreement", e->agreeing);
        if (isfinite(e->sqnr_db)) {
            write_format(out, "sqnr: %.2f dB\n", e->sqnr_db);
        } else {
            write_format(out, "sqnr: %s\n", isnan(e->sqnr_db) ? "not a number" : "no difference");
        }
        write_format(out, "largest difference: %.3g of the largest output\n", e->largest_difference);
    }
    return out->failed ? fail_memory(ctx) : PARE_OK;
}

static json_t *json_comparison(struct json_builder *b, const struct evaluation *e) {
    if (e->reference == NULL) {
        return json_null();
    }
    json_t *object = json_object();
    json_put(b, object, "file", json_text(e->reference));
    json_put(b, object, "agreement", json_number(share(e, e->agreeing)));
    json_put(b, object, "sqnr_db", json_number(e->sqnr_db));
    json_put(b, object, "largest_difference", json_number(e->largest_difference));
    return object;
}

enum pare_status evaluation_json(struct context *ctx, const struct evaluation *e, struct buffer *out) {
    struct json_builder b = {0};
    json_t *root = json_object();
    json_put(&b, root, "file", json_text(e->file));
    json_put(&b, root, "kind", json_text(e->kind));
    json_put(&b, root, "hash", json_hash(e->model_hash));
    json_put(&b, root, "data", json_text(e->data));
    json_put(&b, root, "data_hash", json_hash(e->data_hash));
    json_put(&b, root, "samples", json_count(e->samples));
    json_put(&b, root, "classes", json_count(e->classes));
    json_put(&b, root, "top1", e->labelled ? json_number(share(e, e->right_top1)) : json_null());
    json_put(&b, root, "top5", e->labelled ? json_number(share(e, e->right_top5)) : json_null());
    json_put(&b, root, "reference", json_comparison(&b, e));
    return json_finish(ctx, &b, root, out);
}
