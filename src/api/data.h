/* Data files and declared preprocessing, as a network's inputs want them. */
#ifndef PARE_API_DATA_H
#define PARE_API_DATA_H

#include "api/network.h"
#include "api/runner.h"
#include "tensor/dataset.h"

/* What the settings declare of the preprocessing, else what the network carries, else nothing. `settings` may be NULL.
 */
enum pare_status network_preprocess(struct context *ctx, const struct pare_network *n,
                                    const struct pare_settings *settings, struct preprocess *out);
/* Reads an .npz, an .npy, or a folder: input_0.pb, input_1.pb, ... in it are one sample, or the batch of samples that
 * their first axis counts; else each of its own folders that holds such files is one, in the order of their names.
 * `preprocess` may be NULL: none. Everything lies in `arena`. */
enum pare_status network_read_data(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                   const char *path, const struct preprocess *preprocess, enum label_use label_use,
                                   struct dataset *out);
/* The same from arrays in memory, without labels. */
enum pare_status network_take_data(struct context *ctx, struct arena *arena, const struct pare_network *n,
                                   const struct tensor_set *arrays, const struct preprocess *preprocess,
                                   struct dataset *out);

/* The dataset's samples as runs of the network; the dataset must outlive it. */
struct samples dataset_samples(const struct dataset *d);

#endif
