/* listener.c - the aggregators that are connected
 *
 * A slot goes round: the control thread makes it LIVE, and HUNG when it sees
 * the client's end; the sampling thread, which alone may be using the
 * descriptor, makes it DEAD; then the control thread closes it and it is FREE.
 */
#include "listener.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "message.h"

#define STACK_BYTES (64u << 10)
#define RETRY_MS 100          /* while a slot waits for the sampling thread, or no descriptor is left */
#define GROUPS_MAX 256
#define STOP_TIMEOUT_S 1

enum slot_state { SLOT_FREE, SLOT_LIVE, SLOT_HUNG, SLOT_DEAD };

struct slot {
	_Atomic int state;
	int fd;
	uid_t uid;
};

struct listener {
	struct slot slots[LISTENER_SLOTS];
	int fd;
	gid_t group;
	atomic_bool stopping;
	bool started;
	sem_t running;
	pthread_t thread;
	size_t hello_bytes;
	uint8_t hello[MESSAGE_BYTES_MAX];
};

static bool in_group(int fd, gid_t group)
{
	gid_t groups[GROUPS_MAX];
	socklen_t bytes = sizeof(groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &bytes))
		return false;
	for (size_t i = 0; i < bytes / sizeof(groups[0]); i++)
		if (groups[i] == group)
			return true;
	return false;
}

/* The modes of directory and socket have let it pass; this holds even where
 * somebody has loosened them. */
static bool may_listen(const struct listener *l, int fd, uid_t *uid)
{
	struct ucred peer;
	socklen_t bytes = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &bytes))
		return false;
	*uid = peer.uid;
	return peer.uid == 0 || peer.uid == geteuid() || peer.gid == l->group ||
	       in_group(fd, l->group);
}

/* A free slot within this user's share, or NULL. The last ones are kept for
 * users who have none: a few who work together do not lock the others out. */
static struct slot *find_slot(struct listener *l, uid_t uid)
{
	struct slot *free_slot = NULL;
	unsigned int of_uid = 0, free_slots = 0;

	for (int i = 0; i < LISTENER_SLOTS; i++) {
		struct slot *slot = &l->slots[i];

		if (atomic_load_explicit(&slot->state, memory_order_relaxed) == SLOT_FREE) {
			free_slot = slot;
			free_slots++;
		} else if (slot->uid == uid) {
			of_uid++;
		}
	}
	if (of_uid && (of_uid >= LISTENER_SLOTS_OF_UID || free_slots <= LISTENER_SLOTS_OF_NEW))
		return NULL;
	return free_slot;
}

/* The smallest send buffer: a client that never reads costs us 5 KiB. */
static int greet(const struct listener *l, int fd)
{
	const int smallest = 0;

	if (shutdown(fd, SHUT_RD) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof(smallest)) ||
	    send(fd, l->hello, l->hello_bytes, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

static void take_client(struct listener *l, int fd)
{
	struct slot *slot = NULL;
	uid_t uid;

	if (may_listen(l, fd, &uid))
		slot = find_slot(l, uid);
	if (!slot || greet(l, fd)) {
		close(fd);
		return;
	}
	slot->fd = fd;
	slot->uid = uid;
	atomic_store_explicit(&slot->state, SLOT_LIVE, memory_order_release);
}

/* False: out of descriptors or memory, the client still waits in the backlog. */
static bool accept_client(struct listener *l)
{
	int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		take_client(l, fd);
	return fd >= 0 || errno == EAGAIN || errno == ECONNABORTED || errno == EINTR;
}

/* Close what the sampling thread has let go of. Whether any slot still waits for it. */
static bool close_dead(struct listener *l)
{
	bool waiting = false;

	for (int i = 0; i < LISTENER_SLOTS; i++) {
		struct slot *slot = &l->slots[i];
		const int state = atomic_load_explicit(&slot->state, memory_order_acquire);

		waiting |= state == SLOT_HUNG;
		if (state != SLOT_DEAD)
			continue;
		close(slot->fd);
		atomic_store_explicit(&slot->state, SLOT_FREE, memory_order_relaxed);
	}
	return waiting;
}

/* events 0: only the client's end is reported, never what it sent. */
static void fill_poll(const struct listener *l, struct pollfd *polled)
{
	for (int i = 0; i < LISTENER_SLOTS; i++) {
		const struct slot *slot = &l->slots[i];
		const int state = atomic_load_explicit(&slot->state, memory_order_relaxed);

		polled[i] = (struct pollfd){ .fd = state == SLOT_LIVE ? slot->fd : -1 };
	}
}

static void on_client_end(struct slot *slot)
{
	int live = SLOT_LIVE;

	/* the sampling thread may have made it DEAD in between */
	(void)atomic_compare_exchange_strong(&slot->state, &live, SLOT_HUNG);
}

static void *control(void *arg)
{
	struct listener *l = arg;
	struct pollfd polled[LISTENER_SLOTS + 1];
	bool may_accept = true;

	(void)sem_post(&l->running);
	while (!atomic_load(&l->stopping)) {
		const bool waiting = close_dead(l);

		fill_poll(l, polled);
		polled[LISTENER_SLOTS] = (struct pollfd){
			.fd = may_accept ? l->fd : -1,
			.events = POLLIN,
		};
		if (poll(polled, LISTENER_SLOTS + 1, waiting || !may_accept ? RETRY_MS : -1) < 0)
			continue;
		may_accept = true;
		for (int i = 0; i < LISTENER_SLOTS; i++)
			if (polled[i].revents)
				on_client_end(&l->slots[i]);
		if (polled[LISTENER_SLOTS].revents && !atomic_load(&l->stopping))
			may_accept = accept_client(l);
	}
	return NULL;
}

/* All signals are the sampling thread's. Waits until the new thread runs code of
 * ours: what libc does before that is not for the filter of system calls. */
static int start_thread(struct listener *l)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int err;

	err = pthread_attr_init(&attr);
	if (err)
		return -err;
	(void)sem_init(&l->running, 0, 0);
	sigfillset(&all);
	err = pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (!err)
		err = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!err) {
		err = pthread_create(&l->thread, &attr, control, l);
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	(void)pthread_attr_destroy(&attr);
	l->started = !err;
	while (l->started && sem_wait(&l->running))
		;   /* a signal's handler ran */
	return -err;
}

int listener_start(struct listener **listener, int fd, gid_t group,
		   const void *hello, size_t hello_bytes)
{
	struct listener *l;
	int err;

	l = calloc(1, sizeof(*l));
	if (!l) {
		close(fd);
		return -ENOMEM;
	}
	l->fd = fd;
	l->group = group;
	l->hello_bytes = hello_bytes < sizeof(l->hello) ? hello_bytes : sizeof(l->hello);
	memcpy(l->hello, hello, l->hello_bytes);
	err = start_thread(l);
	if (err) {
		listener_stop(l);
		return err;
	}
	*listener = l;
	return 0;
}

int listener_socket(const struct listener *l)
{
	return l->fd;
}

/* A full buffer has its bell already. */
static bool still_there(int fd, const uint8_t *doorbell, size_t bytes)
{
	return send(fd, doorbell, bytes, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno == EAGAIN ||
	       errno == ENOBUFS || errno == ENOMEM;
}

void listener_ring(struct listener *l, uint64_t next_seq, bool due)
{
	uint8_t doorbell[MESSAGE_DOORBELL_BYTES];
	const size_t bytes = message_pack_doorbell(next_seq, doorbell);

	for (int i = 0; i < LISTENER_SLOTS; i++) {
		struct slot *slot = &l->slots[i];
		const int state = atomic_load_explicit(&slot->state, memory_order_acquire);

		if (state == SLOT_HUNG ||
		    (state == SLOT_LIVE && due && !still_there(slot->fd, doorbell, bytes)))
			atomic_store_explicit(&slot->state, SLOT_DEAD, memory_order_release);
	}
}

static bool stop_thread(struct listener *l)
{
	struct timespec until;

	atomic_store(&l->stopping, true);
	(void)shutdown(l->fd, SHUT_RDWR);   /* wakes poll() */
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_TIMEOUT_S;
	return !pthread_timedjoin_np(l->thread, NULL, &until);
}

void listener_stop(struct listener *l)
{
	if (!l)
		return;
	if (l->started && !stop_thread(l))
		return;   /* it still uses all of this */
	for (int i = 0; i < LISTENER_SLOTS; i++)
		if (atomic_load(&l->slots[i].state) != SLOT_FREE)
			close(l->slots[i].fd);
	close(l->fd);
	free(l);
}
