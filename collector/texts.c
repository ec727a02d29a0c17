/* texts.c - the pieces of kernel text outside the image, as they come and go
 *
 * Samples are drained after the news is read, so a sample is older than what is
 * known here. A piece that went in this drain or the last one is therefore still
 * looked up; where another one has taken its place meanwhile, samples of this
 * drain may be of either, and are of neither.
 */
#include "texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Below where x86 has its modules: a published address there is a mistake. */
#define LINK_END 0xffffffffc0000000ull
#define LINK_ALIGN 64u
#define GRACE_TICKS 1u               /* after the one in which it went */

struct texts {
	struct text slots[TEXTS_MAX];
	uint16_t free[TEXTS_MAX];            /* a stack */
	size_t free_count;
	uint16_t by_start[TEXTS_MAX];        /* what can be looked up; no two overlap */
	size_t by_start_count;
	uint16_t by_link[TEXTS_MAX];         /* all that are not free */
	size_t by_link_count;
	uint16_t retired[TEXTS_RETIRED_MAX]; /* the oldest at retired_first */
	size_t retired_first, retired_count;
	uint64_t link_start, link_next;
	uint64_t now_ns;
	uint32_t tick, retire_tick;          /* now; of the last one that went */
	size_t walked;                       /* by texts_next() */
	bool changed, missed;
	uint64_t refused;
};

int texts_open(struct texts **out, uint64_t link_start)
{
	struct texts *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	for (size_t i = 0; i < TEXTS_MAX; i++)
		t->free[i] = (uint16_t)(TEXTS_MAX - 1 - i);
	t->free_count = TEXTS_MAX;
	t->link_start = t->link_next = link_start < LINK_END ? link_start : LINK_END;
	t->tick = GRACE_TICKS + 1;           /* later than all that is 0 */
	*out = t;
	return 0;
}

static uint64_t start_of(const struct text *text)
{
	return text->start;
}

static uint64_t link_of(const struct text *text)
{
	return text->link;
}

/* How many of list lie at or below key; key_of is what list is sorted by. */
static size_t count_below(const struct texts *t, const uint16_t *list, size_t count,
			  uint64_t (*key_of)(const struct text *), uint64_t key)
{
	size_t low = 0, high = count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (key_of(&t->slots[list[middle]]) <= key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void put_in(uint16_t *list, size_t *count, size_t at, uint16_t slot)
{
	memmove(&list[at + 1], &list[at], (*count - at) * sizeof(*list));
	list[at] = slot;
	*count += 1;
}

static void take_out(uint16_t *list, size_t *count, size_t at)
{
	*count -= 1;
	memmove(&list[at], &list[at + 1], (*count - at) * sizeof(*list));
}

/* The piece around address among those that can be looked up, or NULL. */
static struct text *find(const struct texts *t, uint64_t address)
{
	const size_t below = count_below(t, t->by_start, t->by_start_count, start_of, address);
	const struct text *text;

	if (!below)
		return NULL;
	text = &t->slots[t->by_start[below - 1]];
	return address - text->start < text->bytes ? (struct text *)text : NULL;
}

static void forget_place(struct texts *t, const struct text *text)
{
	const size_t below = count_below(t, t->by_start, t->by_start_count, start_of, text->start);

	if (below && &t->slots[t->by_start[below - 1]] == text)
		take_out(t->by_start, &t->by_start_count, below - 1);
}

static void evict_oldest(struct texts *t)
{
	const uint16_t slot = t->retired[t->retired_first];
	const struct text *text = &t->slots[slot];
	const size_t below = count_below(t, t->by_link, t->by_link_count, link_of, text->link);

	t->retired_first = (t->retired_first + 1) % TEXTS_RETIRED_MAX;
	t->retired_count--;
	forget_place(t, text);
	take_out(t->by_link, &t->by_link_count, below - 1);
	t->free[t->free_count++] = slot;
}

static void retire(struct texts *t, struct text *text)
{
	if (t->retired_count == TEXTS_RETIRED_MAX)
		evict_oldest(t);
	t->retired[(t->retired_first + t->retired_count++) % TEXTS_RETIRED_MAX] =
		(uint16_t)(text - t->slots);
	text->retired_ns = t->now_ns ? t->now_ns : 1;
	text->retired_tick = t->retire_tick = t->tick;
}

void texts_tick(struct texts *t, uint64_t now_ns)
{
	size_t kept = 0;

	t->tick++;
	t->now_ns = now_ns;
	while (t->retired_count &&
	       now_ns - t->slots[t->retired[t->retired_first]].retired_ns > TEXTS_RETIRED_NS)
		evict_oldest(t);
	if (t->tick - t->retire_tick > GRACE_TICKS + 1)
		return;
	for (size_t i = 0; i < t->by_start_count; i++) {
		const struct text *text = &t->slots[t->by_start[i]];

		if (!text->retired_ns || t->tick - text->retired_tick <= GRACE_TICKS)
			t->by_start[kept++] = t->by_start[i];
	}
	t->by_start_count = kept;
}

/* Link-time addresses for bytes bytes, which no piece has; 0: there are none. */
static uint64_t take_link(struct texts *t, uint64_t bytes)
{
	const uint64_t needed = (bytes + LINK_ALIGN) / LINK_ALIGN * LINK_ALIGN + LINK_ALIGN;
	unsigned int rounds = 0;

	while (rounds < 2) {
		const size_t below = count_below(t, t->by_link, t->by_link_count, link_of,
						 t->link_next);
		const struct text *before = below ? &t->slots[t->by_link[below - 1]] : NULL;
		const struct text *behind = below < t->by_link_count ?
					    &t->slots[t->by_link[below]] : NULL;
		const uint64_t link = t->link_next;

		if (needed > LINK_END - link) {
			t->link_next = t->link_start;
			rounds++;
		} else if (before && link - before->link <= before->bytes) {
			t->link_next = (before->link + before->bytes) / LINK_ALIGN * LINK_ALIGN +
				       LINK_ALIGN;
		} else if (behind && behind->link - link < needed) {
			t->link_next = behind->link;
		} else {
			t->link_next = link + needed;
			return link;
		}
	}
	return 0;
}

static bool is_same(const struct text *text, const struct text_facts *facts)
{
	const size_t bytes = facts->name_bytes < TEXT_NAME_BYTES ? facts->name_bytes
								 : TEXT_NAME_BYTES;

	return !text->retired_ns && text->start == facts->start && text->kind == facts->kind &&
	       text->name_bytes == bytes && !memcmp(text->name, facts->name, bytes) &&
	       (text->kind != TEXT_MODULE || text->bytes == facts->bytes);
}

/* A piece among those that can be looked up that has an address of start to
 * end, or NULL. */
static struct text *find_between(const struct texts *t, uint64_t start, uint64_t end)
{
	const size_t below = count_below(t, t->by_start, t->by_start_count, start_of, start);
	struct text *text = find(t, start);

	if (!text && below < t->by_start_count)
		text = (struct text *)&t->slots[t->by_start[below]];
	return text && text->start < end ? text : NULL;
}

/* Make room: a guessed end gives way, everything else there has gone. Returns
 * whether samples may still be of what was there. */
static bool clear_place(struct texts *t, uint64_t start, uint64_t end)
{
	bool doubtful = false;
	struct text *text;

	while ((text = find_between(t, start, end))) {
		if (text->start < start && !text->exact) {
			text->bytes = start - text->start;
			continue;
		}
		if (!text->retired_ns)
			retire(t, text);
		forget_place(t, text);
		doubtful = true;
	}
	return doubtful;
}

/* A free slot, at the cost of what went first; NULL: all are in use. */
static struct text *take_slot(struct texts *t)
{
	if (!t->free_count && t->retired_count)
		evict_oldest(t);
	return t->free_count ? &t->slots[t->free[--t->free_count]] : NULL;
}

static void fill(struct texts *t, struct text *text, const struct text_facts *facts,
		 uint64_t bytes, uint64_t link)
{
	*text = (struct text){
		.start = facts->start,
		.bytes = bytes,
		.link = link,
		.kind = facts->kind,
		.exact = facts->exact,
		.seen = true,
		.name_bytes = (uint8_t)(facts->name_bytes < TEXT_NAME_BYTES ? facts->name_bytes
									    : TEXT_NAME_BYTES),
	};
	memcpy(text->name, facts->name, text->name_bytes);
	put_in(t->by_start, &t->by_start_count,
	       count_below(t, t->by_start, t->by_start_count, start_of, text->start),
	       (uint16_t)(text - t->slots));
	put_in(t->by_link, &t->by_link_count,
	       count_below(t, t->by_link, t->by_link_count, link_of, link),
	       (uint16_t)(text - t->slots));
	t->changed = true;
}

/* A guessed end is no farther than what follows. */
static uint64_t guess_bytes(const struct texts *t, const struct text_facts *facts)
{
	const size_t below = count_below(t, t->by_start, t->by_start_count, start_of, facts->start);
	uint64_t room;

	if (facts->exact || below == t->by_start_count)
		return facts->bytes;
	room = t->slots[t->by_start[below]].start - facts->start;
	return room < facts->bytes ? room : facts->bytes;
}

void texts_add(struct texts *t, const struct text_facts *facts)
{
	struct text *text = find(t, facts->start);
	uint64_t bytes, link;
	bool doubtful;

	if (!facts->bytes || !facts->name_bytes || facts->start + facts->bytes < facts->start)
		return;
	if (text && is_same(text, facts)) {
		text->seen = true;
		if (facts->exact && !text->exact && facts->bytes <= text->bytes) {
			text->bytes = facts->bytes;
			text->exact = true;
		}
		return;
	}
	bytes = guess_bytes(t, facts);
	doubtful = clear_place(t, facts->start, facts->start + bytes);
	link = take_link(t, bytes);
	text = link ? take_slot(t) : NULL;
	if (!text) {
		t->refused++;
		return;
	}
	fill(t, text, facts, bytes, link);
	text->doubtful_tick = doubtful ? t->tick : 0;
}

void texts_remove(struct texts *t, uint64_t start)
{
	struct text *text = find(t, start);

	if (text && text->start == start && !text->retired_ns)
		retire(t, text);
}

void texts_begin(struct texts *t)
{
	for (size_t i = 0; i < t->by_start_count; i++)
		t->slots[t->by_start[i]].seen = false;
}

void texts_end(struct texts *t, bool programs)
{
	for (size_t i = 0; i < t->by_start_count; i++) {
		struct text *text = &t->slots[t->by_start[i]];
		const size_t count = t->by_start_count;

		if (text->seen || text->retired_ns || (text->kind != TEXT_MODULE && !programs))
			continue;
		retire(t, text);
		if (t->by_start_count != count)
			i = (size_t)-1;      /* the oldest made room, and the others moved */
	}
}

uint64_t texts_map(struct texts *t, uint64_t address)
{
	const struct text *text = find(t, address);

	if (!text || text->doubtful_tick == t->tick)
		return 0;
	if (!text->published) {
		t->missed = true;
		return 0;
	}
	return text->link + (address - text->start);
}

uint64_t texts_link(const struct texts *t, uint64_t address)
{
	const struct text *text = find(t, address);

	return text && !text->retired_ns ? text->link + (address - text->start) : 0;
}

const struct text *texts_at_link(const struct texts *t, uint64_t link)
{
	const size_t below = count_below(t, t->by_link, t->by_link_count, link_of, link);
	const struct text *text;

	if (!below)
		return NULL;
	text = &t->slots[t->by_link[below - 1]];
	return link - text->link < text->bytes ? text : NULL;
}

const struct text *texts_next(struct texts *t, const struct text *last)
{
	if (!last)
		t->walked = 0;
	return t->walked < t->by_link_count ? &t->slots[t->by_link[t->walked++]] : NULL;
}

bool texts_changed(const struct texts *t)
{
	return t->changed;
}

bool texts_missed(const struct texts *t)
{
	return t->missed;
}

void texts_published(struct texts *t)
{
	for (size_t i = 0; i < t->by_link_count; i++)
		t->slots[t->by_link[i]].published = true;
	t->changed = t->missed = false;
}

uint64_t texts_refused(const struct texts *t)
{
	return t->refused;
}

void texts_close(struct texts *t)
{
	free(t);
}
