/* fake_files.c - what fake_collector puts into its runtime directory */
#include "fake_collector.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fake_data.h"
#include "kallsyms.h"

#define RING_DATA_BYTES (1u << 20)

uint64_t address_of(const char *name)
{
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		if (!strcmp(symbols[i], name))
			return KALLSYMS_LINK_TEXT + i * SYMBOL_BYTES;
	die("%s: not in the list of symbols", name);
}

static const char *path_of(const struct fake *f, const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	return path;
}

static void read_boot_id(uint8_t boot_id[16])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	unsigned int byte;

	for (int i = 0; file && i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			(void)fgetc(file);
		if (fscanf(file, "%2x", &byte) != 1)
			die("cannot read the boot id");
		boot_id[i] = (uint8_t)byte;
	}
	if (!file)
		die("no boot id");
	fclose(file);
}

static int create(const struct fake *f, const char *name, mode_t mode)
{
	int fd;

	(void)unlink(path_of(f, name));
	fd = open(path_of(f, name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0 || fchmod(fd, mode))
		die("cannot create %s: %s", path_of(f, name), strerror(errno));
	return fd;
}

static void break_ring(struct fake *f)
{
	uint8_t page[4096];
	uint32_t major = 99;

	if (f->broken == BREAK_RING_GARBAGE) {
		fill_with_noise(f, page, sizeof(page));
		if (pwrite(f->ring_fd, page, sizeof(page), 0) != sizeof(page))
			die("cannot break the ring");
	}
	if (f->broken == BREAK_RING_TRUNCATED && ftruncate(f->ring_fd, RING_DATA_BYTES / 2))
		die("cannot truncate the ring");
	/* right behind the magic number: common/ring_layout.h */
	if (f->broken == BREAK_RING_MAJOR &&
	    pwrite(f->ring_fd, &major, sizeof(major), sizeof(uint64_t)) != sizeof(major))
		die("cannot break the ring");
}

static void publish_ring(struct fake *f)
{
	int err;

	f->ring_fd = create(f, "ring.new", f->mode);
	err = ring_writer_open(&f->ring, f->ring_fd, RING_DATA_BYTES, &f->identity);
	if (err)
		die("cannot make the ring: %s", strerror(-err));
	break_ring(f);
	if (f->owner >= 0 && fchown(f->ring_fd, (uid_t)f->owner, (gid_t)-1))
		die("cannot give the ring away: %s", strerror(errno));
	char *to = strdup(path_of(f, "ring"));

	if (rename(path_of(f, "ring.new"), to))
		die("cannot publish the ring: %s", strerror(errno));
	free(to);
}

static void publish_symbols(struct fake *f)
{
	int fd;

	if (f->broken == BREAK_NO_SYMBOLS) {
		(void)unlink(path_of(f, "symbols"));
		return;
	}
	fd = create(f, "symbols", 0444);
	if (f->broken == BREAK_SYMBOLS) {
		uint8_t page[4096];

		fill_with_noise(f, page, sizeof(page));
		if (write(fd, page, sizeof(page)) != sizeof(page))
			die("cannot write symbols");
	}
	if (f->broken != BREAK_SYMBOLS && f->broken != BREAK_HIDDEN)
		for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
			dprintf(fd, "%016llx T %s\n", KALLSYMS_LINK_TEXT + i * SYMBOL_BYTES,
				symbols[i]);
	close(fd);
}

static void listen_for_clients(struct fake *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)unlink(path_of(f, "collector.sock"));
	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path_of(f, "collector.sock")) >=
	    (int)sizeof(address.sun_path))
		die("%s is too long for a socket", path_of(f, "collector.sock"));
	f->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->listener < 0 || bind(f->listener, (struct sockaddr *)&address, sizeof(address)) ||
	    chmod(address.sun_path, 0666) || listen(f->listener, CLIENTS_MAX))
		die("cannot listen on %s: %s", address.sun_path, strerror(errno));
}

void publish_files(struct fake *f)
{
	read_boot_id(f->identity.boot_id);
	f->identity.boot_id[0] ^= f->broken == BREAK_BOOT;
	publish_ring(f);
	publish_symbols(f);
	listen_for_clients(f);
}

void remove_files(const struct fake *f)
{
	(void)unlink(path_of(f, "collector.sock"));
	(void)unlink(path_of(f, "symbols"));
	(void)unlink(path_of(f, "ring"));
}
