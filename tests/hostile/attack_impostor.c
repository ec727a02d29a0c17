/* attack_impostor.c - play the collector, or replace its ring by one of the attacker's
 *
 * hostile_impostor DIR SECONDS socket|ring|symbols: "socket" publishes all three
 * files and speaks like a collector; "ring" puts a ring of the same run, with
 * figures of the attacker's, in place of the true one, "symbols" names of the
 * attacker's. DIR has been loosened, else it could do neither. It is the
 * aggregator that must refuse.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "message.h"
#include "ring.h"
#include "ring_layout.h"

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define RING_BYTES (64u << 10)

static char path_buf[256];

static const char *inside(const char *dir, const char *name)
{
	snprintf(path_buf, sizeof(path_buf), "%s/%s", dir, name);
	return path_buf;
}

static int make_file(const char *dir, const char *name)
{
	int fd = open(inside(dir, name), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0444);

	if (fd < 0)
		cannot_attack(path_buf);
	return fd;
}

static void read_boot_id(uint8_t id[static 16])
{
	FILE *file = fopen(BOOT_ID_FILE, "re");
	unsigned int byte;

	for (int i = 0; file && i < 16; i++) {
		(void)!fscanf(file, "-");
		if (fscanf(file, "%2x", &byte) == 1)
			id[i] = (uint8_t)byte;
	}
	if (file)
		fclose(file);
}

/* The next snapshot, of one CPU that did nothing. */
static void write_counters(struct ring_writer *ring, uint64_t snapshot)
{
	Netto__Counters counters = NETTO__COUNTERS__INIT;
	Netto__Record record = NETTO__RECORD__INIT;
	uint8_t packed[RING_RECORD_BYTES_MAX];

	counters.snapshot = snapshot;
	counters.last_of_snapshot = true;
	counters.time_ns = snapshot * 100000000u;
	record.kind_case = NETTO__RECORD__KIND_COUNTERS;
	record.counters = &counters;
	ring_write(ring, packed, netto__record__pack(&record, packed));
}

static size_t pack_hello(const struct ring_identity *identity, uint8_t *buf)
{
	Netto__Hello hello = NETTO__HELLO__INIT;
	ssize_t bytes;

	hello.schema_major = RING_SCHEMA_MAJOR;
	hello.version = hello.kernel_release = hello.machine = hello.host = (char *)"impostor";
	hello.ring_generation = identity->generation;
	hello.symbol_generation = 1;
	hello.boot_id.data = (uint8_t *)identity->boot_id;
	hello.boot_id.len = sizeof(identity->boot_id);
	hello.rate_hz = 1;
	hello.sample_ns = 1000000000;
	hello.period_ns = 100000000;
	hello.cpus_online = hello.cpu_slots = 1;
	bytes = message_pack_hello(&hello, buf, MESSAGE_BYTES_MAX);
	if (bytes < 0)
		cannot_attack("no hello");
	return (size_t)bytes;
}

static int listen_at(const char *dir)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, inside(dir, "collector.sock"));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    chmod(path_buf, 0666) || listen(fd, 8))
		cannot_attack(path_buf);
	return fd;
}

static void publish_symbols(const char *dir)
{
	static const char symbol[] = "ffffffff81000000 T _text\n";

	int fd = make_file(dir, "symbols");

	if (write(fd, symbol, sizeof(symbol) - 1) < 0)
		cannot_attack("no symbols");
	close(fd);
}

static void serve(const char *dir)
{
	struct ring_identity identity = { .generation = 4711 };
	uint8_t hello[MESSAGE_BYTES_MAX];
	struct ring_writer *ring;
	int listener, client = -1;
	size_t hello_bytes;

	read_boot_id(identity.boot_id);
	hello_bytes = pack_hello(&identity, hello);
	publish_symbols(dir);
	if (ring_writer_open(&ring, make_file(dir, "ring"), RING_BYTES, &identity))
		cannot_attack("no ring");
	listener = listen_at(dir);
	for (uint64_t snapshot = 1; attack_goes_on(); snapshot++) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0) {
			client = fd;
			(void)send(client, hello, hello_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
		}
		write_counters(ring, snapshot);
		if (client >= 0) {
			uint8_t bell[MESSAGE_DOORBELL_BYTES];
			size_t bytes = message_pack_doorbell(snapshot + 1, bell);

			(void)send(client, bell, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
		}
		sleep_ms(100);
	}
}

static void replace_ring(const char *dir)
{
	struct ring_identity identity = { 0 };
	struct ring_header header;
	struct ring_writer *ring;
	int fd = open(inside(dir, "ring"), O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != sizeof(header))
		cannot_attack("no ring to replace");
	identity.generation = header.generation;
	memcpy(identity.boot_id, header.boot_id, sizeof(identity.boot_id));
	if (unlink(path_buf) ||
	    ring_writer_open(&ring, make_file(dir, "ring"), RING_BYTES, &identity))
		cannot_attack("no other ring");
	for (uint64_t snapshot = 1; attack_goes_on(); snapshot++) {
		write_counters(ring, snapshot);
		sleep_ms(100);
	}
}

static void replace_symbols(const char *dir)
{
	struct stat st;

	/* the collector publishes others when something joins the kernel */
	for (; attack_goes_on(); sleep_ms(1)) {
		if (stat(inside(dir, "symbols"), &st) || st.st_uid == geteuid())
			continue;
		if (unlink(path_buf))
			cannot_attack("no symbols to replace");
		publish_symbols(dir);
	}
}

int main(int argc, char *argv[])
{
	attack_start(argc, argv, 3);
	if (!strcmp(argv[3], "ring"))
		replace_ring(ATTACK_DIR);
	else if (!strcmp(argv[3], "symbols"))
		replace_symbols(ATTACK_DIR);
	else
		serve(ATTACK_DIR);
	return attack_end();
}
