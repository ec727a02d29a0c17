/* test_listener.c - clients that behave, and clients that do not */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "listener.h"
#include "message.h"

#define GROUP 65533
#define STRANGER 65531
#define WAIT_S 10   /* for what must come; nothing depends on how fast it does */

static const char hello[] = "hello, packed";

struct place {
	char path[64];
	struct sockaddr_un address;
	struct listener *listener;
	uint64_t next_seq;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(p->path, "/dev/shm/netto-test-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	assert_return_code(chmod(p->path, 0755), errno);
	p->address.sun_family = AF_UNIX;
	snprintf(p->address.sun_path, sizeof(p->address.sun_path), "%s/s", p->path);
	assert_return_code(bind(fd, (struct sockaddr *)&p->address, sizeof(p->address)), errno);
	assert_return_code(chmod(p->address.sun_path, 0666), errno);
	assert_return_code(listen(fd, LISTENER_SLOTS), errno);
	assert_int_equal(listener_start(&p->listener, fd, GROUP, hello, sizeof(hello)), 0);
	p->next_seq = 1;
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	listener_stop(p->listener);
	unlink(p->address.sun_path);
	rmdir(p->path);
	free(p);
	return 0;
}

static int connect_client(const struct place *p)
{
	const struct timeval limit = { .tv_sec = WAIT_S };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&p->address, sizeof(p->address))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Whether the next datagram is the hello; false: it was sent away. */
static bool is_greeted(int fd)
{
	char buf[MESSAGE_BYTES_MAX];

	return recv(fd, buf, sizeof(buf), 0) == (ssize_t)sizeof(hello) &&
	       !memcmp(buf, hello, sizeof(hello));
}

/* A client that was accepted and greeted. */
static int greeted_client(const struct place *p)
{
	int fd = connect_client(p);

	assert_return_code(fd, errno);
	assert_true(is_greeted(fd));
	return fd;
}

static void ring(struct place *p)
{
	listener_ring(p->listener, ++p->next_seq, true);
}

/* A client can be greeted a moment before its slot is live: ring until it hears. */
static bool hears(struct place *p, int fd)
{
	uint8_t buf[MESSAGE_BYTES_MAX];

	for (int i = 0; i < WAIT_S * 1000; i++) {
		ssize_t bytes;

		ring(p);
		bytes = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (bytes > 0) {
			Netto__Message *message;
			bool bell;

			assert_int_equal(message_unpack(buf, (size_t)bytes, &message), 0);
			bell = message->kind_case == NETTO__MESSAGE__KIND_DOORBELL &&
			       message->doorbell->next_seq == p->next_seq;
			message_free(message);
			return bell;
		}
		usleep(1000);
	}
	return false;
}

static void every_client_gets_the_hello_and_then_the_bells(void **state)
{
	int a = greeted_client(*state), b = greeted_client(*state);

	assert_true(hears(*state, a));
	while (recv(b, (char[64]){ 0 }, 64, MSG_DONTWAIT) > 0)
		;
	assert_true(hears(*state, b));
	close(a);
	close(b);
}

static void nothing_written_rings_no_bell(void **state)
{
	struct place *p = *state;
	char buf[64];
	int fd = greeted_client(p);

	assert_true(hears(p, fd));
	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
	listener_ring(p->listener, p->next_seq, false);
	assert_int_equal(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	close(fd);
}

static void a_client_has_nothing_to_say(void **state)
{
	int fd = greeted_client(*state);

	assert_int_equal(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	close(fd);
}

static void a_client_that_never_reads_holds_nobody_up(void **state)
{
	struct place *p = *state;
	int silent = connect_client(p), honest = greeted_client(p);

	for (int i = 0; i < 10000; i++)
		ring(p);
	while (recv(honest, (char[64]){ 0 }, 64, MSG_DONTWAIT) > 0)
		;
	assert_true(hears(p, honest));
	close(silent);
	close(honest);
}

static void one_user_gets_its_share_of_slots_and_no_more(void **state)
{
	int fds[LISTENER_SLOTS_OF_UID];
	int more;

	for (int i = 0; i < LISTENER_SLOTS_OF_UID; i++)
		fds[i] = greeted_client(*state);
	more = connect_client(*state);
	assert_return_code(more, errno);
	assert_false(is_greeted(more));
	close(more);
	for (int i = 0; i < LISTENER_SLOTS_OF_UID; i++)
		close(fds[i]);
}

/* Connections of another user, greeted; the caller's effective user is as before. */
static int take_places_as(const struct place *p, uid_t uid, int *fds, int wanted)
{
	int count = 0;

	assert_return_code(setegid(GROUP), errno);   /* of effective ids alone: SO_PEERCRED */
	assert_return_code(seteuid(uid), errno);
	while (count < wanted) {
		fds[count] = connect_client(p);
		if (fds[count] < 0 || !is_greeted(fds[count]))
			break;
		count++;
	}
	if (count < wanted && fds[count] >= 0)
		close(fds[count]);
	assert_return_code(seteuid(0), errno);
	assert_return_code(setegid(0), errno);
	return count;
}

static void two_users_leave_room_for_others(void **state)
{
	int fds[LISTENER_SLOTS];
	int count;

	if (geteuid())
		skip();
	count = take_places_as(*state, STRANGER, fds, LISTENER_SLOTS);
	assert_int_equal(count, LISTENER_SLOTS_OF_UID);
	count += take_places_as(*state, STRANGER + 1, fds + count, LISTENER_SLOTS_OF_UID);
	assert_int_equal(count, LISTENER_SLOTS - LISTENER_SLOTS_OF_NEW);
	while (count < LISTENER_SLOTS) {   /* one each, not two */
		const uid_t uid = STRANGER + 2 + (uid_t)count;

		assert_int_equal(take_places_as(*state, uid, fds + count, 1), 1);
		count++;
		assert_int_equal(take_places_as(*state, uid, (int[1]){ 0 }, 1), 0);
	}
	assert_int_equal(take_places_as(*state, STRANGER - 1, (int[1]){ 0 }, 1), 0);
	while (count > 0)
		close(fds[--count]);
}

/* Leave by shutdown() of that kind, or by close(). */
static void leave(int fd, int how)
{
	if (how >= 0)
		assert_return_code(shutdown(fd, how), errno);
	else
		close(fd);
}

/* A client that gets a place as soon as there is one; -1: there never is. */
static int wait_for_room(struct place *p)
{
	for (int i = 0; i < WAIT_S * 100; i++) {
		int fd;

		ring(p);
		fd = connect_client(p);
		if (fd >= 0 && is_greeted(fd))
			return fd;
		close(fd);
		usleep(10000);
	}
	return -1;
}

static void a_client_that_leaves_makes_room(void **state)
{
	static const int ways[] = { -1, SHUT_RDWR, SHUT_RD };

	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		int fds[LISTENER_SLOTS_OF_UID], next;
		struct place *p;

		set_up((void **)&p);
		for (int i = 0; i < LISTENER_SLOTS_OF_UID; i++)
			fds[i] = greeted_client(p);
		leave(fds[0], ways[way]);
		next = wait_for_room(p);
		for (int i = way ? 0 : 1; i < LISTENER_SLOTS_OF_UID; i++)
			close(fds[i]);
		close(next);
		tear_down((void **)&p);
		assert_true(next >= 0);
	}
	(void)state;
}

/* Connect as somebody else: 0 greeted, 1 sent away, 2 neither. */
static int connect_as(const struct place *p, uid_t uid, gid_t gid, gid_t group)
{
	const pid_t pid = fork();
	int status;

	if (!pid) {
		if (setgroups(group ? 1 : 0, &group) || setresgid(gid, gid, gid) ||
		    setresuid(uid, uid, uid))
			_exit(2);
		_exit(is_greeted(connect_client(p)) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void only_members_of_the_group_are_greeted(void **state)
{
	static const struct { uid_t uid; gid_t gid, group; int want; const char *why; } rows[] = {
		{ STRANGER, GROUP, 0, 0, "its group" },
		{ STRANGER, STRANGER, GROUP, 0, "one of its other groups" },
		{ 0, 0, 0, 0, "root" },
		{ STRANGER, STRANGER, 0, 1, "no group of ours" },
		{ STRANGER, STRANGER, STRANGER - 1, 1, "nor among the others" },
	};

	if (geteuid())
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (connect_as(*state, rows[i].uid, rows[i].gid, rows[i].group) != rows[i].want)
			fail_msg("%s: the wrong answer", rows[i].why);
}

static void the_end_is_the_end_for_all_clients(void **state)
{
	struct place *p = *state;
	char buf[64];
	int fd = greeted_client(p);

	listener_stop(p->listener);
	p->listener = NULL;
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
	assert_int_equal(recv(fd, buf, sizeof(buf), 0), 0);
	assert_int_equal(connect_client(p), -1);
	close(fd);
}

#define with_listener(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_listener(every_client_gets_the_hello_and_then_the_bells),
		with_listener(nothing_written_rings_no_bell),
		with_listener(a_client_has_nothing_to_say),
		with_listener(a_client_that_never_reads_holds_nobody_up),
		with_listener(one_user_gets_its_share_of_slots_and_no_more),
		with_listener(two_users_leave_room_for_others),
		cmocka_unit_test(a_client_that_leaves_makes_room),
		with_listener(only_members_of_the_group_are_greeted),
		with_listener(the_end_is_the_end_for_all_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
