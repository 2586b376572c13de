/* Starts a Cortex-M program without a vendor's files: the vector table, and main() with newlib's semihosting behind
 * printf. For emulators and debuggers; a device's own startup code takes its place. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern uint32_t stack_top[], data_begin[], data_end[], data_load[], bss_begin[], bss_end[];
int main(void);
void initialise_monitor_handles(void);
void reset(void);
void stop(void);

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t *stack;
    void (*handlers[15])(void);
} vectors = {stack_top, {reset, stop, stop, stop, stop, stop, 0, 0, 0, 0, stop, 0, 0, stop, stop}};

void reset(void) {
    memcpy(data_begin, data_load, (size_t)((char *)data_end - (char *)data_begin));
    memset(bss_begin, 0, (size_t)((char *)bss_end - (char *)bss_begin));
    initialise_monitor_handles();
    exit(main());
}

/* A fault: what runs is not what was meant. */
void stop(void) {
    _Exit(3);
}
