/* The least that a program must store: what a file of it is measured against. */
#ifndef PARE_FIXED_EXACT_BITS_H
#define PARE_FIXED_EXACT_BITS_H

#include "fixed/executor.h"

/* Bits of every code that the arithmetic takes from the file, each at its exact width: weights and biases, their
 * fractions per channel (as far as these differ), zero points, entries of tables (equal tables once), constants. */
uint64_t program_exact_bits(const struct program *p);

#endif
