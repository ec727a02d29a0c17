/* fuzz_collector_symbols.c - two texts of /proc/kallsyms, as the collector meets them
 *
 * The text before the first NUL at the start, what follows it at a later look.
 * Each published table must itself be kallsyms, and neither it nor a frame may
 * hold an address that is not a link-time one.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kallsyms.h"
#include "symbols.h"
#include "texts.h"

#define LINK_END 0xffffffffc0000000ull        /* above it are modules; see texts.c */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static int new_table(void)
{
	int fd = memfd_create("symbols", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	return fd;
}

/* The image may reach a little over the end, by what its last page holds. */
static void check_link(uint64_t link)
{
	if (link < KALLSYMS_LINK_TEXT || link >= LINK_END + (32ull << 20))
		abort();
}

static void check_table(int fd)
{
	const off_t bytes = lseek(fd, 0, SEEK_END);
	char *table = malloc((size_t)bytes + 1);
	const char *at = table;
	struct kallsyms_line line;
	int got;

	if (bytes < 0 || !table || pread(fd, table, (size_t)bytes, 0) != bytes)
		abort();
	while ((got = kallsyms_next(&at, table + bytes, &line)) == 1)
		check_link(line.address);
	if (got)
		abort();
	free(table);
}

/* What the texts name, and any eight bytes of them. */
static void check_frames(struct symbols *symbols, const char *text, size_t bytes)
{
	const char *at = text;
	struct kallsyms_line line;
	uint64_t link;

	while (kallsyms_next(&at, text + bytes, &line) == 1) {
		link = symbols_map(symbols, line.address);
		if (link)
			check_link(link);
		link = symbols_map(symbols, line.address + 0x123);
		if (link)
			check_link(link);
	}
}

/* Publish what text told, or with NULL that programs came and went. */
static void publish(struct symbols *symbols, const char *text, size_t bytes, int *last_fd)
{
	int fd = new_table();

	if (symbols_write(symbols, text, bytes, *last_fd, fd))
		abort();
	symbols_published(symbols);
	check_table(fd);
	if (*last_fd >= 0)
		close(*last_fd);
	*last_fd = fd;
}

static void add_program(struct symbols *symbols, uint64_t now_ns)
{
	static const char name[] = "bpf_prog_6deef7357e7b4530_new";

	texts_tick(symbols_texts(symbols), now_ns);
	texts_add(symbols_texts(symbols), &(struct text_facts){
		.start = 0xffffffffc0300000ull + now_ns, .bytes = 77, .kind = TEXT_BPF,
		.exact = true, .name = name, .name_bytes = strlen(name) });
}

static void follow(struct symbols *symbols, const char *first, size_t first_bytes,
		   const char *later, size_t later_bytes)
{
	int last_fd = -1;

	publish(symbols, first, first_bytes, &last_fd);
	check_frames(symbols, first, first_bytes);
	if (symbols_texts(symbols)) {
		add_program(symbols, 100);
		publish(symbols, NULL, 0, &last_fd);
		texts_tick(symbols_texts(symbols), 200);
		if (!symbols_read(symbols, later, later_bytes)) {
			publish(symbols, later, later_bytes, &last_fd);
			check_frames(symbols, later, later_bytes);
			check_frames(symbols, first, first_bytes);
		}
		add_program(symbols, 300);
		publish(symbols, NULL, 0, &last_fd);
	}
	close(last_fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	const char *const text = (const char *)data;
	const char *const nul = memchr(data, '\0', bytes);
	const size_t first_bytes = nul ? (size_t)(nul - text) : bytes;
	struct symbols *symbols;

	if (symbols_open(&symbols, text, first_bytes))
		return 0;
	if (symbols_hidden(symbols) != !symbols_texts(symbols))
		abort();
	if (nul)
		follow(symbols, text, first_bytes, nul + 1, bytes - first_bytes - 1);
	else
		follow(symbols, text, bytes, text, bytes);
	symbols_close(symbols);
	return 0;
}
