/* Channels that a network can do without: what they bring to the operators that read them, the other channels bring
 * as well, when the weights are changed a little. */
#ifndef PARE_QUANT_REDUNDANT_H
#define PARE_QUANT_REDUNDANT_H

#include "quant/dropped.h"
#include "quant/statistics.h"

/* Which channels go, and the weights of those that read them. */
struct channel_plan;

/* A plan to take out none. Needs the statistics of the scheme's graph; both must outlive it. Free with
 * channel_plan_free. */
enum pare_status channel_plan_new(struct context *ctx, const struct scheme *s, const struct statistics *st,
                                  struct channel_plan **out);
void channel_plan_free(struct channel_plan *p);
/* Adds channels to it, one by one, those first whose absence the others make good best: the least squares of the
 * readers' outputs, by the inverse of the Gram matrix of their inputs (optimal brain surgeon: Hassibi and Stork 1993,
 * section 2; for columns together Frantar and Alistarh 2022, section 4). Each may, on average over its readers, leave
 * an error of at most `loss` / (number of channels of its layer) of the variance of their outputs. */
enum pare_status channel_plan_extend(struct context *ctx, struct channel_plan *p, double loss);
size_t channel_plan_count(const struct channel_plan *p); /* of the channels that go */

/* Takes the channels out of `g`, a copy of the scheme's graph, and adds them to the list, whose memory is in `a`. */
enum pare_status channel_plan_apply(struct context *ctx, struct arena *a, const struct channel_plan *p, struct graph *g,
                                    struct dropped_list *dropped);

#endif
