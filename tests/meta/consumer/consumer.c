/* A user of the installed library. Defining a name that the library uses inside must do no harm. */
#include <pare/pare.h>

#include <stdio.h>

int fail(void);
int fail(void) {
    return 7;
}

int main(void) {
    struct pare_context *context = pare_context_new();
    if (context == NULL) {
        return 1;
    }
    struct pare_network *network = NULL;
    enum pare_status status = pare_network_open(context, "no-such-file.onnx", &network);
    printf("pare %s: %s\n", pare_version(), pare_message(context));
    pare_context_free(context);
    return status == PARE_ERROR_INPUT && network == NULL && fail() == 7 ? 0 : 1;
}
