/* collector/symbols.h - kernel addresses become link-time addresses
 *
 * What leaves the collector never tells where the kernel is. The kernel image
 * goes to where it was linked (KALLSYMS_LINK_TEXT); modules, BPF programs and
 * trampolines go above it, each piece of text to a base of its own, in the
 * order in which they appear (texts.h). Anything else becomes 0.
 */
#ifndef NETTO_COLLECTOR_SYMBOLS_H
#define NETTO_COLLECTOR_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYMBOLS_FIRST_GENERATION 1   /* the table of the start */

struct symbols;
struct texts;

/* Learn the layout of the kernel from the text of /proc/kallsyms, which stays
 * the caller's and is not kept. 0; -EINVAL: not kallsyms; -ENOMEM. */
int symbols_open(struct symbols **symbols, const char *text, size_t bytes);

/* The same again, later: what came, what went. 0; -EINVAL: not kallsyms, or of
 * another kernel; -ENOMEM. */
int symbols_read(struct symbols *symbols, const char *text, size_t bytes);

/* Whether the text gave no addresses (kernel.kptr_restrict, or no CAP_SYSLOG):
 * then the table is empty and every address maps to 0. */
bool symbols_hidden(const struct symbols *symbols);

/* Whether kallsyms shows BPF programs (net.core.bpf_jit_kallsyms): ours are there. */
bool symbols_show_programs(const struct symbols *symbols);

/* The pieces outside the image; NULL if addresses are hidden. */
struct texts *symbols_texts(struct symbols *symbols);

/* Write the table, in the same format with link-time addresses, to fd, which is
 * at its start. text is that of the last symbols_open() or symbols_read(), or
 * NULL when nothing but programs came or went since the file behind last_fd,
 * the one published last (-1: none), was written. 0; -errno. */
int symbols_write(struct symbols *symbols, const char *text, size_t bytes, int last_fd, int fd);

/* What symbols_write() wrote last has been published: frames may use it. */
void symbols_published(struct symbols *symbols);

/* Link-time address of a kernel address; 0: in no text that is published. */
uint64_t symbols_map(struct symbols *symbols, uint64_t address);

/* Takes NULL. */
void symbols_close(struct symbols *symbols);

#endif
