/* source.c - ring and socket of a collector, now and after its restart
 *
 *   away -> connected (waits for the hello) -> reading -> ending (reads the
 *   rest of the ring) -> away, and again every second, or where nobody is there
 *   four times a second
 *
 * Nothing the other side sends is believed before it was checked, and whatever
 * is wrong ends in away.
 */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "complaints.h"
#include "kallsyms.h"
#include "log.h"
#include "message.h"
#include "ring.h"
#include "runtime_files.h"

#define RETRY_MS 1000
#define ABSENT_RETRY_MS 250       /* nobody there: one that starts anew is back soon */
#define DRAIN_NS 10000000u        /* in one go; then the loop has its turn */
#define DRAIN_RECORDS 64          /* between two looks at the clock */
#define DATAGRAMS_MAX 64          /* likewise */
#define GOOD_TICKS 5              /* until doubts are forgotten and can be said again */
#define OTHER_VERSION "is of another version of netto: run collector and aggregator of the same"

struct source {
	const struct source_events *events;
	void *arg;
	uv_loop_t *loop;
	const char *dir;
	int dir_fd;
	uv_timer_t tick;                /* tries to connect; drains should a doorbell be lost */
	uv_idle_t more;                 /* there is more to drain */
	unsigned int open_handles;

	int socket;                     /* -1: away */
	uv_poll_t *poll;                /* of the socket; lives until the loop has closed it */
	int ring_fd;
	off_t ring_bytes;
	struct ring_reader *ring;
	bool taken;                     /* events->hello() took this collector */
	bool ending;                    /* the collector has gone, what is in the ring has not */
	Netto__Message *hello;          /* the last one taken */
	struct stat symbols;            /* of the table read last */

	struct complaints complaints;
	bool absence_said;              /* nobody there is worth one line, not two */
	unsigned int good_ticks;        /* since the hello */
};

/* What is wrong with something under the directory. */
static void doubt(struct source *s, const char *name, const char *why)
{
	complaints_say(&s->complaints, "%s/%s %s", s->dir, name, why);
}

static void doubt_file(struct source *s, const char *name, int err)
{
	complaints_say_file(&s->complaints, s->dir, name, err);
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

/* Back to away, from any half of the way. */
static void disconnect(struct source *s)
{
	bool was_taken = s->taken;

	(void)uv_idle_stop(&s->more);
	if (s->poll)
		uv_close((uv_handle_t *)s->poll, free_handle);
	s->poll = NULL;
	if (s->socket >= 0)
		close(s->socket);
	s->socket = -1;
	ring_reader_close(s->ring);
	s->ring = NULL;
	if (s->ring_fd >= 0)
		close(s->ring_fd);
	s->ring_fd = -1;
	s->ending = s->taken = false;
	if (was_taken)
		s->events->gone(s->arg);
}

/* Whether the table behind fd is not the one read last. */
static bool is_other_table(struct source *s, int fd)
{
	const struct stat last = s->symbols;

	return fstat(fd, &s->symbols) || s->symbols.st_dev != last.st_dev ||
	       s->symbols.st_ino != last.st_ino || s->symbols.st_size != last.st_size ||
	       s->symbols.st_mtim.tv_sec != last.st_mtim.tv_sec ||
	       s->symbols.st_mtim.tv_nsec != last.st_mtim.tv_nsec;
}

/* Read the published table, or only if it is another one. Bytes and *text, the
 * caller's; 0 and no text: it is the same; -errno, said unless a collector that
 * ends has taken it away. */
static ssize_t read_symbols(struct source *s, bool only_other, char **text)
{
	off_t file_bytes;
	int fd = runtime_file_open(s->dir_fd, "symbols", &file_bytes);
	ssize_t bytes = fd;

	if (fd >= 0) {
		if (!is_other_table(s, fd) && only_other)
			bytes = 0;
		else
			bytes = file_bytes > SYMBOLS_BYTES_MAX ? -EFBIG : kallsyms_read(fd, text);
		close(fd);
	}
	if (bytes < 0 && !(only_other && bytes == -ENOENT))
		doubt_file(s, "symbols", (int)bytes);
	return bytes;
}

/* Without names exact times still flow. */
static void hand_on_symbols(struct source *s, const char *text, size_t bytes)
{
	int err = s->events->symbols(s->arg, text, bytes);

	if (s->hello->hello->addresses_hidden)
		complaints_say(&s->complaints, "the kernel hides its addresses (kernel.kptr_restrict): "
			       "components are unknown");
	else if (err)
		doubt(s, "symbols", "holds no usable symbols: components are unknown");
}

/* The table again, if it is another one; while it cannot be had, the last one
 * stays, and what is new has no name. */
static void follow_symbols(struct source *s)
{
	char *text = NULL;
	const ssize_t bytes = read_symbols(s, true, &text);

	if (bytes > 0)
		hand_on_symbols(s, text, (size_t)bytes);
	free(text);
}

/* Hand on one record; lost ones may have told of new symbols. */
static void hand_on_record(struct source *s, uint64_t seq, uint64_t lost, const uint8_t *buf,
			   size_t bytes)
{
	if (lost)
		follow_symbols(s);
	if (s->events->record(s->arg, seq, lost, buf, bytes))
		follow_symbols(s);
}

/* Read up to DRAIN_RECORDS. 1: there may be more; 0: up to date; -errno: the
 * ring is damaged. */
static int drain_some(struct source *s)
{
	uint8_t buf[RING_RECORD_BYTES_MAX];
	uint64_t seq, lost;

	for (int i = 0; i < DRAIN_RECORDS; i++) {
		ssize_t n = ring_read(s->ring, buf, sizeof(buf), &seq, &lost);

		if (n > 0)
			hand_on_record(s, seq, lost, buf, (size_t)n);
		else if (n != -EAGAIN)
			return (int)n;
	}
	return 1;
}

/* Hand on what is new, for a while. A page that was cut off the file would be
 * a SIGBUS, so its length is looked at first. */
static void drain(struct source *s)
{
	const uint64_t end_ns = uv_hrtime() + DRAIN_NS;
	int err = runtime_file_shrunk(s->ring_fd, s->ring_bytes) ? -EPROTO : 1;

	while (err > 0 && uv_hrtime() < end_ns)
		err = drain_some(s);
	if (err < 0) {
		doubt(s, "ring", "is damaged: waiting for a good one");
		disconnect(s);
	} else if (err == 0 && s->ending) {
		s->absence_said = true;
		complaints_say(&s->complaints, "the collector has gone: waiting for it to come back");
		disconnect(s);
	} else if (err == 0) {
		(void)uv_idle_stop(&s->more);
	}
}

static void on_more(uv_idle_t *more)
{
	drain(more->data);
}

static void drain_until_done(struct source *s)
{
	(void)uv_idle_start(&s->more, on_more);
	drain(s);
}

/* Whether the ring is of this boot and of the run that said hello. */
static bool check_identity(struct source *s, const Netto__Hello *hello)
{
	const struct ring_identity *ring = ring_reader_identity(s->ring);
	uint8_t boot_id[16];

	if (boot_id_read(boot_id))
		complaints_say(&s->complaints, "cannot read this boot's id: is /proc mounted?");
	else if (memcmp(ring->boot_id, boot_id, sizeof(boot_id)) ||
		 memcmp(hello->boot_id.data, boot_id, sizeof(boot_id)))
		doubt(s, "ring", "is of another boot of this machine: waiting for a good one");
	else if (ring->generation != hello->ring_generation)
		doubt(s, "ring", "is of another run of the collector: waiting for a good one");
	else
		return true;
	return false;
}

static bool open_ring(struct source *s, const Netto__Hello *hello)
{
	int err;

	s->ring_fd = runtime_file_open(s->dir_fd, "ring", &s->ring_bytes);
	if (s->ring_fd < 0) {
		doubt_file(s, "ring", s->ring_fd);
		return false;
	}
	err = ring_reader_open(&s->ring, s->ring_fd);
	if (err == -EPROTONOSUPPORT)
		doubt(s, "ring", OTHER_VERSION);
	else if (err == -EPROTO)
		doubt(s, "ring", "is no ring, or damaged: waiting for a good one");
	else if (err)
		doubt_file(s, "ring", err);
	return !err && check_identity(s, hello);
}

/* Everything of a new collector, or nothing. *message is taken over once its
 * receiver may hold on to it. */
static bool take_hello(struct source *s, Netto__Message **message)
{
	char *text = NULL;
	ssize_t bytes;
	int err;

	if (!open_ring(s, (*message)->hello))
		return false;
	bytes = read_symbols(s, false, &text);
	if (bytes < 0)
		return false;
	err = s->events->hello(s->arg, (*message)->hello);
	message_free(s->hello);   /* the last one's was in use until here */
	s->hello = *message;
	*message = NULL;
	s->taken = !err;
	s->good_ticks = 0;
	if (!err && s->complaints.count)
		complaints_note(&s->complaints, "the collector is there");
	s->absence_said &= err != 0;
	if (err)
		complaints_say(&s->complaints, "cannot take the collector at %s: %s: trying again "
			       "every second", s->dir, strerror(-err));
	else
		hand_on_symbols(s, text, (size_t)bytes);
	free(text);
	return !err;
}

/* One datagram. false: no good, disconnect. */
static bool take_datagram(struct source *s, const uint8_t *buf, size_t bytes)
{
	Netto__Message *message;
	int err = bytes > MESSAGE_BYTES_MAX ? -EPROTO : message_unpack(buf, bytes, &message);
	bool good = false;

	if (err) {
		doubt(s, "collector.sock", err == -EPROTONOSUPPORT ? OTHER_VERSION :
		      "says nothing that a collector says: waiting for a good one");
		return false;
	}
	if (message->kind_case == NETTO__MESSAGE__KIND_DOORBELL) {
		good = true;   /* that it came is all it says */
	} else if (s->taken) {
		doubt(s, "collector.sock", "says hello twice: waiting for a good one");
	} else if (take_hello(s, &message)) {
		good = true;
	}
	message_free(message);
	return good;
}

/* The collector closed the connection or died: read what it left. */
static void on_end(struct source *s)
{
	if (!s->taken) {
		doubt(s, "collector.sock", "closes without a hello (too many aggregators?): "
		      "trying again every second");
		disconnect(s);
		return;
	}
	s->ending = true;
	(void)uv_poll_stop(s->poll);
	drain_until_done(s);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct source *s = poll->data;
	uint8_t buf[MESSAGE_BYTES_MAX];

	(void)events;   /* only UV_READABLE was asked for */
	for (int i = 0; !status && i < DATAGRAMS_MAX; i++) {
		/* MSG_TRUNC: the datagram's own length */
		ssize_t n = recv(s->socket, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			status = UV_EOF;
		} else if (!take_datagram(s, buf, (size_t)n)) {
			disconnect(s);
			return;
		}
	}
	if (status)
		on_end(s);
	else if (s->taken)
		drain_until_done(s);
}

static int watch_socket(struct source *s)
{
	int err;

	s->poll = malloc(sizeof(*s->poll));
	if (!s->poll)
		return -ENOMEM;
	err = uv_poll_init(s->loop, s->poll, s->socket);
	if (err) {
		free(s->poll);
		s->poll = NULL;
		return err;
	}
	s->poll->data = s;
	return uv_poll_start(s->poll, UV_READABLE, on_socket);
}

static int try_to_connect(struct source *s)
{
	if (s->dir_fd >= 0)
		close(s->dir_fd);   /* the directory may be a new one, or a new mount */
	s->dir_fd = runtime_dir_open(s->dir);
	if (s->dir_fd < 0)
		return s->dir_fd;
	s->socket = runtime_socket_connect(s->dir_fd, "collector.sock");
	return s->socket < 0 ? s->socket : watch_socket(s);
}

static void on_tick(uv_timer_t *tick);

static void connect_or_say(struct source *s)
{
	int err = try_to_connect(s);

	if (!err)
		return;
	if (err != -ENOENT && err != -ECONNREFUSED)
		doubt_file(s, "collector.sock", err);
	else if (!s->absence_said)
		complaints_say(&s->complaints, "no collector at %s: is netto-collector running? "
			       "waiting for it", s->dir);
	disconnect(s);
	if (err != -ENOENT && err != -ECONNREFUSED)
		return;
	s->absence_said = true;
	(void)uv_timer_start(&s->tick, on_tick, ABSENT_RETRY_MS, RETRY_MS);   /* cannot fail */
}

static void on_tick(uv_timer_t *tick)
{
	struct source *s = tick->data;

	if (s->socket < 0)
		connect_or_say(s);
	if (!s->taken)
		return;
	if (++s->good_ticks == GOOD_TICKS)
		complaints_end(&s->complaints);
	drain_until_done(s);
}

int source_start(struct source **out, uv_loop_t *loop, const char *runtime_dir,
		 const struct source_events *events, void *arg)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->events = events;
	s->arg = arg;
	s->loop = loop;
	s->dir = runtime_dir;
	s->dir_fd = s->socket = s->ring_fd = -1;
	(void)uv_timer_init(loop, &s->tick);   /* these three cannot fail */
	(void)uv_idle_init(loop, &s->more);
	s->tick.data = s->more.data = s;
	s->open_handles = 2;
	(void)uv_timer_start(&s->tick, on_tick, 0, RETRY_MS);
	*out = s;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct source *s = handle->data;

	if (--s->open_handles)
		return;
	message_free(s->hello);
	free(s);
}

void source_stop(struct source *s)
{
	if (!s)
		return;
	s->taken = false;   /* whoever stops the source need not be told */
	disconnect(s);
	if (s->dir_fd >= 0)
		close(s->dir_fd);
	uv_close((uv_handle_t *)&s->tick, on_closed);
	uv_close((uv_handle_t *)&s->more, on_closed);
}
