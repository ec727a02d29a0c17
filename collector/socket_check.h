/* collector/socket_check.h - whether the socket probes count what is really sent and received
 *
 * Sends and receives of every kind, over socket pairs and over loopback where
 * there is one. Other tasks' traffic does not disturb it.
 */
#ifndef NETTO_COLLECTOR_SOCKET_CHECK_H
#define NETTO_COLLECTOR_SOCKET_CHECK_H

#include "family.h"

struct socket_check {
	char why[SHARED_DIRECTIONS][FAMILY_REASON_BYTES];   /* what is wrong; "": nothing */
};

/* Run it with the probes attached, which count into sockets what this thread
 * does. Bits, one a direction: it counted right. */
unsigned int socket_check(struct socket_check *check, struct shared_sockets *sockets);

#endif
