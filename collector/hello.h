/* collector/hello.h - the first message to every aggregator */
#ifndef NETTO_COLLECTOR_HELLO_H
#define NETTO_COLLECTOR_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "options.h"
#include "probes.h"
#include "ring.h"

/* A fresh identity: a random generation, and the boot that /proc names. 0;
 * -errno; -EINVAL: /proc has no boot id. */
int hello_identity(struct ring_identity *identity);

/* Pack everything that stays the same for the collector's life, the reasons of
 * probes cut as far as buf demands. Bytes; -EMSGSIZE: buf is too small even so
 * (MESSAGE_BYTES_MAX never is); -ENOMEM. */
ssize_t hello_pack(const struct options *options, const struct probes *probes,
		   const struct ring_identity *identity, bool addresses_hidden,
		   void *buf, size_t buf_bytes);

#endif
