/* collector/symbols_inside.h - what symbols.c and symbols_file.c share; nobody else includes it */
#ifndef NETTO_COLLECTOR_SYMBOLS_INSIDE_H
#define NETTO_COLLECTOR_SYMBOLS_INSIDE_H

#include <sys/types.h>

#include "symbols.h"
#include "texts.h"

#define SYMBOLS_OUT_BYTES (64u << 10)

struct symbols {
	uint64_t text;         /* address of _text; 0: hidden */
	uint64_t image_bytes;
	struct texts *texts;
	bool shows_programs;   /* the last text of kallsyms did */
	off_t modules_at;      /* in the published file: behind the image's symbols */
	off_t programs_at;     /* behind the modules' */

	/* the file that is being written */
	off_t new_modules_at, new_programs_at;
	int fd;
	off_t at;              /* of out */
	size_t used;
	int err;
	char out[SYMBOLS_OUT_BYTES];
	char in[SYMBOLS_OUT_BYTES];   /* of the last file */
};

static inline bool symbols_in_image(const struct symbols *s, uint64_t address)
{
	return address - s->text < s->image_bytes;
}

/* What a symbol's module in kallsyms stands for; the name it has there, NULL
 * for TEXT_MODULE. */
enum text_kind symbols_kind(const char *module, size_t bytes);
const char *symbols_kind_name(enum text_kind kind);

#endif
