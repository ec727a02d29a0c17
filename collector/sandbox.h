/* collector/sandbox.h - what the process may do, and the end of that
 *
 * Everything that needs privilege happens before sandbox_enter(); nothing after
 * it may need any. Bounding set, capabilities and no_new_privs belong to a
 * thread and are inherited: no thread is started before it.
 */
#ifndef NETTO_COLLECTOR_SANDBOX_H
#define NETTO_COLLECTOR_SANDBOX_H

#include <stddef.h>
#include <sys/types.h>

#include "confine.h"
#include "filter.h"

/* Close what was inherited but standard input, output and error, and handed_over
 * if that is the descriptor behind them and not negative; open /dev/null for those
 * of the three that are closed; allow as many descriptors as
 * the hard limit does. Says its own error; 0 or EXIT_ERR(). */
int sandbox_prepare(int handed_over);

/* Refuse to start as a root that could not stop being root. Says which
 * capabilities are missing; 0 or EXIT_ERR(EX_NOPERM). */
int sandbox_check(void);

/* As root, do file work as uid and gid for a while, and be root again. What is
 * made in between belongs to them, and what they may not do fails. Nothing for
 * others. 0 or -errno. */
int sandbox_borrow(uid_t uid, gid_t gid);
int sandbox_return(void);

/* Become uid and gid for ever, without any capability, and check it. From now
 * on spare_files descriptors can be opened beside those that are, and only the
 * files that confine.h leaves, if the kernel can limit them. Says its own error;
 * 0 or EXIT_ERR(). */
int sandbox_enter(uid_t uid, gid_t gid, unsigned int spare_files,
		  const struct confine_files *files);

/* After the last thread was started: no further one, no process, and only the
 * system calls of filter.c, which are for files; check the process and all its
 * threads. Says its own error; 0 or EXIT_ERR(). */
int sandbox_seal(const struct filter_files *files);

#endif
