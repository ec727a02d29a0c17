/* aggregator/memo.h - labels of stacks seen before
 *
 * A label depends on the frames, the vector and the hints alone, for as long
 * as the symbol table stays. The memo keeps the frames themselves and compares
 * them all, so two stacks are never taken for one another. Bounded: the oldest
 * stacks make room.
 */
#ifndef NETTO_AGGREGATOR_MEMO_H
#define NETTO_AGGREGATOR_MEMO_H

#include <stddef.h>
#include <stdint.h>

#include "labels.h"

#define MEMO_STACKS 16384           /* most stacks kept; 32 bytes each */
#define MEMO_FRAMES (512u << 10)    /* most frames of all of them; 4 MiB */

struct memo;

struct memo_key {
	const uint64_t *frames;
	uint8_t count;
	int8_t vector;
	uint32_t hints;
	uint64_t hash;                  /* by memo_hash() */
};

/* 0; -ENOMEM. */
int memo_open(struct memo **memo);

/* Fill key->hash from the rest. */
void memo_hash(struct memo_key *key);

/* The label kept for key, or NULL. Valid until the next memo_add(). */
const struct label *memo_find(const struct memo *memo, const struct memo_key *key);

/* Keep label for key; frames are copied. A stack without frames is not kept. */
void memo_add(struct memo *memo, const struct memo_key *key, const struct label *label);

/* Forget all. */
void memo_clear(struct memo *memo);

/* Takes NULL. */
void memo_close(struct memo *memo);

#endif
