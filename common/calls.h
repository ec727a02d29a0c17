/* common/calls.h - tables of system calls become a seccomp filter
 *
 * A library of its own (netto_calls): the launcher filters nothing.
 */
#ifndef NETTO_COMMON_CALLS_H
#define NETTO_COMMON_CALLS_H

#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#define CALL_CONDITIONS_MAX 4

/* One call with such arguments: all of the conditions, up to the first without an
 * op; { { 0 } }: whatever the arguments are. Arguments are compared in all 64
 * bits, of which the kernel looks at 32 where they are descriptors or flags: what
 * differs above these matches no row. */
struct call_row {
	int call;                                    /* SCMP_SYS(name) */
	struct scmp_arg_cmp conditions[CALL_CONDITIONS_MAX];
};

#define CALL_IS(argument, value) { argument, SCMP_CMP_EQ, (scmp_datum_t)(value), 0 }
#define CALL_HAS(argument, bits) { argument, SCMP_CMP_MASKED_EQ, bits, bits }
#define CALL_LACKS(argument, bits) { argument, SCMP_CMP_MASKED_EQ, bits, 0 }

/* A filter for all threads, where what no row names has the action otherwise, and
 * calls of other architectures kill. 0; -ENOSYS: this kernel (4.14 or newer) or
 * container has no such filters; -errno. */
int calls_open(scmp_filter_ctx *filter, uint32_t otherwise);

/* Give the calls of rows this action. Rows of calls that this architecture has
 * not are left out. 0; -errno. */
int calls_add(scmp_filter_ctx filter, uint32_t action, const struct call_row *rows, size_t count);

/* Put the filter into force for ever. 0; -ESRCH: a thread has a filter of its
 * own; -errno. */
int calls_enter(scmp_filter_ctx filter);

/* Takes NULL. */
void calls_close(scmp_filter_ctx filter);

#endif
