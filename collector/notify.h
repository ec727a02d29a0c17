/* collector/notify.h - what a service manager wants to know (sd_notify(3)) */
#ifndef NETTO_COLLECTOR_NOTIFY_H
#define NETTO_COLLECTOR_NOTIFY_H

/* Connect to $NOTIFY_SOCKET, once, while sockets may be made. The descriptor;
 * -ENOENT: nobody asked; -errno: the socket named there is none that answers. */
int notify_open(void);

/* Send lines such as "READY=1\nSTATUS=text". A manager that went away is no
 * reason to stop: silent. A negative fd: nothing. */
void notify_send(int fd, const char *lines);

#endif
