/* collector/listener.h - the aggregators that are connected
 *
 * A control thread accepts, says hello and closes, because accept and close can
 * be made to take long by a hostile client. The sampling thread rings the bell
 * and waits for nobody. Not one byte of a client is ever read.
 */
#ifndef NETTO_COLLECTOR_LISTENER_H
#define NETTO_COLLECTOR_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LISTENER_SLOTS 64            /* clients at once */
#define LISTENER_SLOTS_OF_UID 32     /* of them, of one user */
#define LISTENER_SLOTS_OF_NEW 16     /* the last ones, each for a user that has none yet */
#define LISTENER_SPARE_FILES (LISTENER_SLOTS + 8)   /* descriptors it may need */

struct listener;

/* Start the control thread on fd, a listening socket that does not block and
 * becomes the listener's. Clients are root, this process's own user and members
 * of group; each gets hello, which is copied. 0; -ENOMEM; -errno of
 * pthread_create. */
int listener_start(struct listener **listener, int fd, gid_t group,
		   const void *hello, size_t hello_bytes);

/* The socket that it accepts from; stays the listener's. */
int listener_socket(const struct listener *listener);

/* Once every flush, from one thread: forget clients that have gone and, if due,
 * tell all others that next_seq is the next record's number. Never waits,
 * allocates nothing. */
void listener_ring(struct listener *listener, uint64_t next_seq, bool due);

/* Close all; takes NULL. A control thread that a hostile client holds up is
 * left to the end of the process after a second. */
void listener_stop(struct listener *listener);

#endif
