/* collector/handover.h - the descriptor that a service manager may hand over
 *
 * An open /proc/kallsyms shows addresses to whoever holds it if its opener was
 * allowed to see them: with it the collector needs no CAP_SYSLOG. systemd's way
 * (sd_listen_fds(3)): OpenFile=/proc/kallsyms:kallsyms:read-only
 */
#ifndef NETTO_COLLECTOR_HANDOVER_H
#define NETTO_COLLECTOR_HANDOVER_H

/* Store the descriptor in *kallsyms_fd, or leave that alone if nothing was handed
 * over to this process. Anything but one descriptor, named kallsyms and a file
 * of /proc open for reading, is refused. Says its own error; 0 or EXIT_ERR(). */
int handover_take(int *kallsyms_fd);

#endif
