/* pare_report: text for people and for programs. */
#include "api/api.h"

#include <stdlib.h>

enum pare_status report_new(struct context *ctx, struct pare_report **out) {
    *out = calloc(1, sizeof **out);
    if (*out == NULL) {
        return fail_memory(ctx);
    }
    buffer_init(&(*out)->text);
    buffer_init(&(*out)->json);
    return PARE_OK;
}

enum pare_status report_finish(struct context *ctx, struct pare_report *report) {
    write_u8(&report->text, 0);
    write_u8(&report->json, 0);
    return report->text.failed || report->json.failed ? fail_memory(ctx) : PARE_OK;
}

void pare_report_free(struct pare_report *report) {
    if (report != NULL) {
        buffer_free(&report->text);
        buffer_free(&report->json);
        free(report);
    }
}

const char *pare_report_text(struct pare_report *report) {
    return (const char *)report->text.data;
}

const char *pare_report_json(struct pare_report *report) {
    return (const char *)report->json.data;
}
