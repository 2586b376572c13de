/* What of the runtime is built. A build for one model names the operator kinds that it needs, and whether it needs
 * 64-bit accumulators; the rest, with its checks, is left out, and a file that asks for it is refused:
 *
 *     -DPARE_KINDS='(PARE_KIND(CONV) | PARE_KIND(ADD) | PARE_KIND(DENSE))' -DPARE_WIDE=0
 *
 * `pare export` writes both into this header. Codes never depend on them. */
#ifndef PARE_RUNTIME_KINDS_H
#define PARE_RUNTIME_KINDS_H

#define PARE_KIND(name) (1UL << PARE_##name)

#ifndef PARE_KINDS
#define PARE_KINDS 0xffffffffUL
#endif
#ifndef PARE_WIDE
#define PARE_WIDE 1
#endif

/* Constant, so that compilers drop what stands behind it. */
#define PARE_BUILT(name) (((PARE_KINDS)&PARE_KIND(name)) != 0)
/* `function` where the kind is built, else NULL. */
#define PARE_IF_BUILT(name, function) (PARE_BUILT(name) ? (function) : NULL)

#endif
