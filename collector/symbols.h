/* collector/symbols.h - kernel addresses become link-time addresses
 *
 * What leaves the collector never tells where the kernel is. The kernel image
 * goes to where it was linked (KALLSYMS_LINK_TEXT); modules, BPF programs and
 * trampolines go above it, each piece of text to a base of its own, in the
 * order in which /proc/kallsyms lists them. Anything else becomes 0.
 */
#ifndef NETTO_COLLECTOR_SYMBOLS_H
#define NETTO_COLLECTOR_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols;

/* Learn the layout of the kernel from the text of /proc/kallsyms, which stays
 * the caller's and is not kept. 0; -EINVAL: not kallsyms; -ENOMEM. */
int symbols_open(struct symbols **symbols, const char *text, size_t bytes);

/* Whether the text gave no addresses (kernel.kptr_restrict, or no CAP_SYSLOG):
 * then the table is empty and every address maps to 0. */
bool symbols_hidden(const struct symbols *symbols);

/* Write the table, in the same format with link-time addresses, to fd; text is
 * that of symbols_open(). 0; -errno of writing. */
int symbols_publish(const struct symbols *symbols, const char *text, size_t bytes, int fd);

/* Link-time address of a kernel address; 0: in no known text. */
uint64_t symbols_map(const struct symbols *symbols, uint64_t address);

/* Takes NULL. */
void symbols_close(struct symbols *symbols);

#endif
