/* What of the runtime is built. A build for one model names the operator kinds that it needs, and whether it needs
 * 64-bit accumulators, factors of more than 16 bits, or convolutions that add a second input; the rest, with its
 * checks, is left out, and a file that asks for it is refused:
 *
 *     -DPARE_KINDS='(PARE_KIND(CONV) | PARE_KIND(ADD))' -DPARE_WIDE=0 -DPARE_LONG_FACTORS=0 -DPARE_ADDENDS=0
 *
 * PARE_KERNELS is the table of kernels that pare_model_open installs. `pare export` writes all of them into this
 * header. Codes never depend on them. */
#ifndef PARE_RUNTIME_KINDS_H
#define PARE_RUNTIME_KINDS_H

#define PARE_KIND(name) (1UL << PARE_##name)

#ifndef PARE_KINDS
#define PARE_KINDS 0xffffffffUL
#endif
#ifndef PARE_WIDE
#define PARE_WIDE 1
#endif
#ifndef PARE_LONG_FACTORS
#define PARE_LONG_FACTORS 1
#endif
#ifndef PARE_ADDENDS
#define PARE_ADDENDS 1
#endif
#ifndef PARE_KERNELS
#define PARE_KERNELS pare_reference_kernels
#endif

/* Constant, so that compilers drop what stands behind it. */
#define PARE_BUILT(name) (((PARE_KINDS)&PARE_KIND(name)) != 0)
/* `function` where the kind is built, else NULL. */
#define PARE_IF_BUILT(name, function) (PARE_BUILT(name) ? (function) : NULL)

#endif
