/* common/exit_status.h - the one place where an errno becomes an exit status
 *
 * sysexits(3) values, as the manual states them: 64 usage, 69 the kernel or a
 * server refuses what is needed, 70 internal error, 73 cannot create a file,
 * 75 starting again helps, 77 permission, 78 configuration.
 *
 * A step of main that knows better than its errno returns one of these as a
 * negative number: they lie outside the range of errno.
 */
#ifndef NETTO_COMMON_EXIT_STATUS_H
#define NETTO_COMMON_EXIT_STATUS_H

#include <sysexits.h>

#define EXIT_ERR_BASE 5000
#define EXIT_ERR(status) (-(EXIT_ERR_BASE + (status)))   /* EXIT_ERR(EX_UNAVAILABLE) */

/* Exit status for err: 0, a negative errno, or EXIT_ERR(status). */
int exit_status(int err);

#endif
