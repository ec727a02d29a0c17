/* collector/texts.h - the pieces of kernel text outside the image, as they come and go
 *
 * Modules, BPF programs, trampolines. Each registration gets link-time addresses
 * of its own, in order of appearance; they are given again only when all others
 * have been. A piece that went keeps its entry for a while, so that the samples
 * taken of it before can be named.
 *
 * Bounded: TEXTS_MAX pieces, of which TEXTS_RETIRED_MAX and none older than a
 * minute are kept after they went. What does not fit is counted and maps to 0.
 */
#ifndef NETTO_COLLECTOR_TEXTS_H
#define NETTO_COLLECTOR_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXTS_MAX 8192
#define TEXTS_RETIRED_MAX 1024
#define TEXTS_RETIRED_NS 60000000000ull
#define TEXT_NAME_BYTES 128         /* what is longer is cut */

struct texts;

enum text_kind { TEXT_MODULE, TEXT_BPF, TEXT_FTRACE, TEXT_KPROBES, TEXT_KINDS };

/* One piece. */
struct text {
	uint64_t start;
	uint64_t bytes;
	uint64_t link;
	uint64_t retired_ns;        /* 0: it is there */
	uint32_t retired_tick;
	uint32_t doubtful_tick;     /* during it samples can be of what was there before */
	enum text_kind kind;
	bool exact;                 /* bytes is known, not guessed from what follows */
	bool published;             /* the published table names it */
	bool seen;                  /* since texts_begin() */
	uint8_t name_bytes;
	char name[TEXT_NAME_BYTES]; /* of the module, or of the one function; not terminated */
};

/* What is told of a piece. */
struct text_facts {
	uint64_t start;
	uint64_t bytes;
	enum text_kind kind;
	bool exact;
	const char *name;
	size_t name_bytes;
};

/* link_start is the first link-time address to give. 0; -ENOMEM. */
int texts_open(struct texts **texts, uint64_t link_start);

/* A drain of samples follows, at now_ns: ages what went. */
void texts_tick(struct texts *texts, uint64_t now_ns);

/* A piece is there. One that is known is left alone; what it lies on has gone. */
void texts_add(struct texts *texts, const struct text_facts *facts);

/* The piece that starts there has gone. */
void texts_remove(struct texts *texts, uint64_t start);

/* All that is there is told anew: what is not added between the two calls has
 * gone, if of a module or, with programs set, of any kind. */
void texts_begin(struct texts *texts);
void texts_end(struct texts *texts, bool programs);

/* Link-time address; 0: in no piece, in one not published yet, or not certain. */
uint64_t texts_map(struct texts *texts, uint64_t address);

/* The same, of what is there now, published or not. */
uint64_t texts_link(const struct texts *texts, uint64_t address);

/* The piece that has this link-time address, gone or not, or NULL. */
const struct text *texts_at_link(const struct texts *texts, uint64_t link);

/* All pieces, those kept after they went too, in the order of their link-time
 * addresses: NULL starts, NULL ends. Not across other calls. */
const struct text *texts_next(struct texts *texts, const struct text *last);

/* Whether there is something that the published table does not name, and
 * whether a sample has met such a piece. */
bool texts_changed(const struct texts *texts);
bool texts_missed(const struct texts *texts);

/* The table that was published names all of them. */
void texts_published(struct texts *texts);

/* Pieces that found no room. */
uint64_t texts_refused(const struct texts *texts);

/* Takes NULL. */
void texts_close(struct texts *texts);

#endif
