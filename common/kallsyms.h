/* common/kallsyms.h - text in the format of /proc/kallsyms
 *
 * One parser for the kernel's file and for the table the collector publishes.
 * "ffffffff81000000 T _text" or "ffffffffc0001000 t name\t[module]"; lines of
 * other types than text (t T w W) are passed over. Lines may end in CR LF, the
 * last one without an end.
 */
#ifndef NETTO_COMMON_KALLSYMS_H
#define NETTO_COMMON_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define KALLSYMS_FILE "/proc/kallsyms"
#define KALLSYMS_LINK_TEXT 0xffffffff81000000ull   /* where _text goes, on every architecture */
#define KALLSYMS_GAP "-"   /* name in the published table: no function from here to the next symbol */

struct kallsyms_line {
	uint64_t address;
	char type;
	const char *name;       /* into the text, not terminated; no space or control character */
	size_t name_bytes;
	const char *module;     /* without brackets; NULL: the kernel image */
	size_t module_bytes;
};

/* Parse the next text symbol at *text, advancing it; end is one past the last
 * byte. 1: *line filled; 0: no more; -EINVAL: a line that is none of
 * kallsyms', *text left at its start. */
int kallsyms_next(const char **text, const char *end, struct kallsyms_line *line);

/* Read the whole file behind fd from its start into *text (malloc, the
 * caller's). Bytes; -errno; -EFBIG above 256 MiB. */
ssize_t kallsyms_read(int fd, char **text);

#endif
