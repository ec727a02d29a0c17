/* tests/integration/load.c - network loads over loopback, each in child processes of its own */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK_BYTES (64u << 10)

static char chunk[CHUNK_BYTES];

/* What goes wrong in a load ends it: the test then sees too few samples. */
static int must(int result)
{
	if (result < 0)
		_exit(1);
	return result;
}

static int connect_to(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	must(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	return fd;
}

/* Reads what comes from each client, and answers none. */
static void serve(int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		pid_t pid;

		if (fd < 0)
			continue;
		pid = fork();
		if (!pid) {
			while (read(fd, chunk, sizeof(chunk)) > 0)
				;
			_exit(0);
		}
		close(fd);
	}
}

/* The same without a process a client, for clients that come by the thousand. */
static void serve_short(int listener)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			continue;
		(void)!read(fd, chunk, sizeof(chunk));
		close(fd);
	}
}

static void bulk(int port)
{
	int fd = connect_to(port);

	while (write(fd, chunk, sizeof(chunk)) > 0)
		;
}

static void connections(int port)
{
	for (;;) {
		int fd = connect_to(port);

		must((int)send(fd, "x", 1, 0));
		close(fd);
	}
}

/* Sockets that nobody closes but the end of their process. */
static void exits(int port)
{
	for (;;) {
		pid_t pid = must(fork());

		if (!pid) {
			for (int i = 0; i < 32; i++)
				must((int)send(connect_to(port), "x", 1, 0));
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
}

static int open_file(void)
{
	int fd = must(memfd_create("load", MFD_CLOEXEC));

	must((int)write(fd, chunk, sizeof(chunk)));
	return fd;
}

static void by_sendfile(int port)
{
	int file = open_file(), fd = connect_to(port);

	for (;;) {
		off_t at = 0;

		must((int)sendfile(fd, file, &at, sizeof(chunk)));
	}
}

static void by_splice(int port)
{
	int file = open_file(), fd = connect_to(port), ends[2];

	must(pipe2(ends, O_CLOEXEC));
	for (;;) {
		off_t at = 0;
		ssize_t bytes = must((int)splice(file, &at, ends[1], NULL, sizeof(chunk), 0));

		while (bytes > 0)
			bytes -= must((int)splice(ends[0], NULL, fd, NULL, (size_t)bytes, 0));
	}
}

/* No network at all. */
static void files(int port)
{
	int file = open_file();

	(void)port;
	for (;;) {
		must((int)pread(file, chunk, sizeof(chunk), 0));
		must((int)pwrite(file, chunk, sizeof(chunk), 0));
	}
}

const struct load loads[] = {
	{ "bulk", bulk },
	{ "connections", connections },
	{ "exits", exits },
	{ "sendfile", by_sendfile },
	{ "splice", by_splice },
	{ "files", files },
};

const size_t load_count = sizeof(loads) / sizeof(loads[0]);

static int listen_on_loopback(int *port)
{
	struct sockaddr_in on = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t bytes = sizeof(on);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&on, sizeof(on)) || listen(fd, 128) ||
	    getsockname(fd, (struct sockaddr *)&on, &bytes))
		return -errno;
	*port = ntohs(on.sin_port);
	return fd;
}

static void run(const struct load *load, int listener, int port)
{
	pid_t server;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	server = must(fork());
	if (!server) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (load->client == connections || load->client == exits)
			serve_short(listener);
		serve(listener);
	}
	close(listener);
	load->client(port);
	_exit(0);
}

pid_t load_start(const struct load *load)
{
	int port = 0, listener = listen_on_loopback(&port);
	pid_t pid;

	if (listener < 0)
		return listener;
	pid = fork();
	if (!pid)
		run(load, listener, port);
	close(listener);
	if (pid < 0)
		return -errno;
	setpgid(pid, pid);
	return pid;
}

void load_stop(pid_t group)
{
	kill(-group, SIGKILL);
	waitpid(group, NULL, 0);
}
