/* aggregator/source.h - ring and socket of a collector, now and after its restart
 *
 * Connects to collector.sock, checks whom it talks to (SO_PEERCRED: root or
 * the owner of the runtime directory) and what it opens (regular files of that
 * owner that group and others cannot write), maps the ring, and hands on every
 * record. When the collector goes away, or anything it published is no good,
 * it says so once and tries again for ever: every second, or four times a second
 * where nobody is there.
 */
#ifndef NETTO_AGGREGATOR_SOURCE_H
#define NETTO_AGGREGATOR_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "netto.pb-c.h"

struct source;

/* What the source tells; all called on the loop's thread. */
struct source_events {
	int (*hello)(void *arg, const Netto__Hello *hello);   /* hello stays valid until the next one; 0 or -errno: give up this collector */
	int (*symbols)(void *arg, const char *text, size_t bytes);
	bool (*record)(void *arg, uint64_t seq, uint64_t lost, const uint8_t *bytes, size_t count);   /* true: the symbols changed: they are read before the next record */
	void (*gone)(void *arg);                              /* the collector has gone */
};

/* Start connecting. events is kept, not copied. 0; -errno. */
int source_start(struct source **source, uv_loop_t *loop, const char *runtime_dir,
		 const struct source_events *events, void *arg);

/* Takes NULL. The loop must run once more for its handles to close. */
void source_stop(struct source *source);

#endif
