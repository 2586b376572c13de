/* What quantisation can be told to do without, to measure what each technique is worth. Only benchmarks do. */
#ifndef PARE_QUANT_TECHNIQUE_H
#define PARE_QUANT_TECHNIQUE_H

/* Bits of a mask. */
enum technique {
    TECHNIQUE_EQUALISATION = 1 << 0,
    /* BatchNormalization forwards into what follows; without: a depthwise convolution. Left to who runs the passes. */
    TECHNIQUE_ZERO_POINTS = 1 << 1,
    TECHNIQUE_CHANNEL_FRACTIONS = 1 << 2, /* without: one fraction per weight, the best for all rows together */
    TECHNIQUE_SECOND_ORDER = 1 << 3,
    TECHNIQUE_COORDINATE_DESCENT = 1 << 4,
    TECHNIQUE_BIAS_CORRECTION = 1 << 5,
    TECHNIQUE_FITTING = 1 << 6,       /* weights fitted to the inputs that the program computes at the point at hand */
    TECHNIQUE_EXPECTED_DROP = 1 << 7, /* without: the search goes by the measured drop alone */
    TECHNIQUE_CLIPPING = 1 << 8,      /* by squared error; without: every fraction covers its range */
    TECHNIQUE_UNSIGNED = 1 << 9,      /* activations that cannot be negative have no sign */
    TECHNIQUE_SILENT_CHANNELS = 1 << 10,   /* channels that are always zero are taken out */
    TECHNIQUE_REDUNDANT_CHANNELS = 1 << 11 /* and those that the others make good */
};

#endif
