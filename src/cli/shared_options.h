/* Rows that several commands have. */
#ifndef PARE_CLI_SHARED_OPTIONS_H
#define PARE_CLI_SHARED_OPTIONS_H

/* For what prints a report. */
#define REPORT_OPTIONS                                                                                                 \
    { "json", 0, NULL, ROLE_COMMAND, "write the result as JSON" }

/* For what reads an ONNX file. */
#define INPUT_SHAPE_OPTION                                                                                             \
    {                                                                                                                  \
        "input-shape", 0, "X=1,3,48,192", ROLE_SETTING,                                                                \
            "fix open dimensions of input X (repeat it); X= may go if it is alone"                                     \
    }

/* For what writes a .pare file. */
#define PACK_OPTION                                                                                                    \
    {                                                                                                                  \
        "pack", 0, "size|speed", ROLE_SETTING,                                                                         \
            "weights of the .pare file: exact widths, or whole bytes, which need no unpacking"                         \
    }

/* For what reads data: the declared preprocessing. */
#define PREPROCESS_OPTIONS                                                                                             \
    {"scale", 0, "S", ROLE_SETTING, "multiply the data by S, a number or a quotient such as 1/255"},                   \
        {"mean", 0, "A,B,..", ROLE_SETTING, "then subtract: one number, or one per channel"},                          \
        {"std", 0, "A,B,..", ROLE_SETTING, "then divide by: one number, or one per channel"}, {                        \
        "layout", 0, "nchw|nhwc", ROLE_SETTING, "the layout the model wants, where the data have the other"            \
    }

#endif
