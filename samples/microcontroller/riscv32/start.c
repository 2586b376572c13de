/* A static 32-bit RISC-V program for Linux (qemu's user mode) on picolibc, which has no system calls of its own. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int main(void);
void start(void);

static long system_call(long number, long a, long b, long c) {
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

static int put_character(char c, FILE *file) {
    (void)file;
    system_call(64, 1, (long)&c, 1); /* write */
    return c;
}

static FILE standard = FDEV_SETUP_STREAM(put_character, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdin = &standard;
FILE *const stdout = &standard;
FILE *const stderr = &standard;

void start(void) {
    system_call(93, main(), 0, 0); /* exit */
    for (;;) {
    }
}

__attribute__((naked, used, section(".text"))) void _start(void) {
    __asm__("la gp, __global_pointer$\n\tandi sp, sp, -16\n\tj start");
}
