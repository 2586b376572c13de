/* Status codes shared by the library, its runtime for microcontrollers and the program. */
#ifndef PARE_STATUS_H
#define PARE_STATUS_H

enum pare_status {
    PARE_OK = 0,
    PARE_ERROR_USAGE,       /* a call or an option does not make sense */
    PARE_ERROR_INPUT,       /* a model or a data file cannot be used, or is not there */
    PARE_ERROR_UNSUPPORTED, /* well-formed input that needs what pare does not have */
    PARE_ERROR_BOUND,       /* the accuracy bound cannot be held, or not be shown to hold */
    PARE_ERROR_IO,          /* the system refused to read or write */
    PARE_ERROR_MEMORY,      /* an allocation failed */
    PARE_ERROR_INTERRUPTED, /* the caller asked to stop */
    PARE_ERROR_INTERNAL     /* a defect in pare: a check of its own work failed */
};

#endif
