/* aggregator/memo.c - labels of stacks seen before
 *
 * Slots stand in sets of four, chosen by hash. Frames lie one stack behind the
 * other in a buffer that is written round and round; a slot whose frames were
 * overwritten since is as good as empty.
 */
#include "memo.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4
#define SETS (MEMO_STACKS / WAYS)

struct slot {
	uint64_t hash;
	uint64_t position;   /* of its frames: how many were written before, modulo MEMO_FRAMES an index */
	uint32_t hints;
	uint8_t count;       /* 0: empty */
	int8_t vector;
	struct label label;
};
_Static_assert(sizeof(struct slot) == 32, "as memo.h says");

struct memo {
	uint64_t written;    /* frames ever, those skipped at the buffer's end included */
	struct slot sets[SETS][WAYS];
	uint64_t frames[MEMO_FRAMES];
};

int memo_open(struct memo **out)
{
	struct memo *memo = calloc(1, sizeof(*memo));

	if (!memo)
		return -ENOMEM;
	*out = memo;
	return 0;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Two lanes, so that the multiplier need not wait for its last result. The
 * constants are odd and have half of their bits set. */
void memo_hash(struct memo_key *key)
{
	uint64_t even = 0x2d358dccaa6c78a5ull ^ key->hints;
	uint64_t odd = 0x8bb84b93962eacc9ull ^ ((uint64_t)(uint8_t)key->vector << 8 | key->count);
	size_t i = 0;

	for (; i + 4 <= key->count; i += 4) {
		even = mix(key->frames[i] ^ even, key->frames[i + 1] ^ 0x4b33a62ed433d4a3ull);
		odd = mix(key->frames[i + 2] ^ odd, key->frames[i + 3] ^ 0x4d5a2da51de1aa47ull);
	}
	for (; i < key->count; i++)
		even = mix(key->frames[i] ^ even, 0xa0761d6478bd642full);
	key->hash = mix(even, odd);
}

static bool holds_frames(const struct memo *memo, const struct slot *slot)
{
	return slot->count && memo->written - slot->position <= MEMO_FRAMES;
}

static bool is_slot_of(const struct memo *memo, const struct slot *slot, const struct memo_key *key)
{
	return slot->hash == key->hash && slot->count == key->count &&
	       slot->vector == key->vector && slot->hints == key->hints &&
	       holds_frames(memo, slot) &&
	       !memcmp(&memo->frames[slot->position % MEMO_FRAMES], key->frames,
		       key->count * sizeof(key->frames[0]));
}

const struct label *memo_find(const struct memo *memo, const struct memo_key *key)
{
	const struct slot *set = memo->sets[key->hash % SETS];

	for (size_t i = 0; i < WAYS; i++)
		if (is_slot_of(memo, &set[i], key))
			return &set[i].label;
	return NULL;
}

/* Where to keep a new stack: an empty slot, or the one written first. */
static struct slot *oldest(struct slot set[static WAYS])
{
	struct slot *found = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (!set[i].count)
			return &set[i];
		if (set[i].position < found->position)
			found = &set[i];
	}
	return found;
}

void memo_add(struct memo *memo, const struct memo_key *key, const struct label *label)
{
	struct slot *slot = oldest(memo->sets[key->hash % SETS]);
	size_t to_end = MEMO_FRAMES - memo->written % MEMO_FRAMES;

	if (!key->count)
		return;
	if (key->count > to_end)
		memo->written += to_end;
	slot->hash = key->hash;
	slot->position = memo->written;
	slot->hints = key->hints;
	slot->count = key->count;
	slot->vector = key->vector;
	slot->label = *label;
	memcpy(&memo->frames[slot->position % MEMO_FRAMES], key->frames,
	       key->count * sizeof(key->frames[0]));
	memo->written += key->count;
}

void memo_clear(struct memo *memo)
{
	memset(memo->sets, 0, sizeof(memo->sets));
}

void memo_close(struct memo *memo)
{
	free(memo);
}
