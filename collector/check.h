/* collector/check.h - attach as in earnest, report, leave nothing behind
 *
 * The report is for "netto check" (deploy/launcher/check_report.h reads it): lines of
 * fields between tabs, the last of which is always there:
 *   netto-check  1
 *   probe        NAME  FUNCTION  attached|off|untried  REASON
 *   addresses    shown|hidden                of /proc/kallsyms
 *   interval_ns  N                           of a softirq's time, the probes' own
 *   exact        syscall_tx|syscall_rx       timed by the socket probes
 *   end          STATUS  MESSAGE             exit status and why, "" with status 0
 * No kernel address is in it, nor a control character.
 */
#ifndef NETTO_COLLECTOR_CHECK_H
#define NETTO_COLLECTOR_CHECK_H

#include "options.h"

/* Report on standard output. No ring, no socket, no runtime directory. 0 or
 * EXIT_ERR(), as the collector would end with. */
int check_run(const struct options *options);

#endif
