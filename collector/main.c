/* main.c - netto-collector: measures, publishes, and holds no privilege meanwhile
 *
 * Root ends at enter_sandbox(): what needs privilege is above it, nothing below
 * may. Nothing is read from anybody but the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "collector.h"
#include "exit_status.h"
#include "handover.h"
#include "hello.h"
#include "kallsyms.h"
#include "log.h"
#include "loop.h"
#include "message.h"
#include "notify.h"
#include "preflight.h"
#include "sandbox.h"

#ifdef __SANITIZE_ADDRESS__
/* LeakSanitizer looks on by ptrace from a thread of its own: the sandbox
 * allows neither. The modules' tests are checked for leaks. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return 1;
}
#endif

/* A place to publish, before anything is attached for it. */
static int open_runtime(struct collector *c)
{
	const struct options *o = &c->options;
	int err, back;

	err = runtime_open(&c->runtime, o->runtime_dir, o->uid, o->gid);
	if (err)
		return err;
	err = sandbox_borrow(o->uid, o->gid);
	if (err) {
		log_error("cannot work as uid %u: %s", o->uid, strerror(-err));
		return err;
	}
	err = runtime_clean(c->runtime);
	back = sandbox_return();
	return err ? err : back;
}

/* Whether a descriptor shows addresses is decided by who opens it, and when. */
static int attach_probes(struct collector *c)
{
	const struct probes_config config = {
		.rate_hz = c->options.rate_hz,
		.filter = c->options.filter,
		.exact = c->options.exact,
	};

	if (c->kallsyms_fd < 0)
		c->kallsyms_fd = open(KALLSYMS_FILE, O_RDONLY | O_CLOEXEC);
	return probes_attach(&c->probes, &config);
}

static void warn_of_hidden_addresses(void)
{
	char value[8] = "unknown";
	FILE *file = fopen("/proc/sys/kernel/kptr_restrict", "re");

	if (file) {
		(void)!fscanf(file, "%7s", value);
		fclose(file);
	}
	log_warn("%s shows no addresses (kernel.kptr_restrict is %s, CAP_SYSLOG is needed up to 1): "
		 "times are exact, but components will be unknown", KALLSYMS_FILE, value);
}

static int make_file(struct collector *c, enum runtime_entry entry, const char *text,
		     size_t bytes)
{
	int fd = runtime_create(c->runtime, entry);
	int err = fd < 0 ? fd : 0;

	if (!err && entry == RUNTIME_RING)
		err = ring_writer_open(&c->ring, fd, c->options.ring_bytes, &c->identity);
	else if (!err)
		err = symbols_write(c->symbols, text, bytes, -1, fd);
	if (!err)
		err = runtime_publish(c->runtime, entry);
	if (!err && entry == RUNTIME_SYMBOLS) {
		symbols_published(c->symbols);
		c->symbols_fd = fd;
	} else if (fd >= 0) {
		close(fd);
	}
	return err;
}

/* Made as the collector's user, so that it is the owner from the start. */
static int make_files(struct collector *c, const char *text, size_t bytes)
{
	int err, back;

	err = sandbox_borrow(c->options.uid, c->options.gid);
	if (err)
		return err;
	err = make_file(c, RUNTIME_SYMBOLS, text, bytes);
	if (!err)
		err = make_file(c, RUNTIME_RING, NULL, 0);
	if (!err) {
		c->listen_fd = runtime_listen(c->runtime);
		err = c->listen_fd < 0 ? c->listen_fd : 0;
	}
	back = sandbox_return();
	return err ? err : back;
}

/* After attaching, so that the table knows our own programs too. */
static int publish_files(struct collector *c)
{
	char *text = NULL;
	ssize_t bytes = c->kallsyms_fd < 0 ? 0 : kallsyms_read(c->kallsyms_fd, &text);
	int err = bytes < 0 ? (int)bytes : 0;

	if (!err)
		err = symbols_open(&c->symbols, text ? text : "", bytes);
	if (err) {
		log_error("cannot read %s: %s", KALLSYMS_FILE, strerror(-err));
		free(text);
		return EXIT_ERR(EX_UNAVAILABLE);
	}
	if (symbols_hidden(c->symbols))
		warn_of_hidden_addresses();
	else if (!symbols_show_programs(c->symbols))
		log_warn("%s shows no BPF programs (net.core.bpf_jit_kallsyms is 0, or bpf_jit_harden is "
			 "not): those loaded before have no names", KALLSYMS_FILE);
	err = hello_identity(&c->identity);
	if (!err)
		err = make_files(c, text ? text : "", bytes);
	free(text);
	if (err)
		log_error("cannot publish in %s: %s", c->options.runtime_dir, strerror(-err));
	return err ? EXIT_ERR(EX_CANTCREAT) : 0;
}

/* What the steady state uses is made now; what it does not need goes. */
static int settle(struct collector *c)
{
	struct symbols_live_config live = {
		.symbols = c->symbols,
		.probes = c->probes,
		.runtime = c->runtime,
		.published_fd = c->symbols_fd,
		.period_ns = c->options.period_ns,
	};
	int err;

	if (c->kallsyms_fd >= 0 && symbols_hidden(c->symbols)) {
		close(c->kallsyms_fd);   /* what it shows was decided when it was opened */
		c->kallsyms_fd = -1;
	}
	live.kallsyms_fd = c->kallsyms_fd;
	c->symbols_fd = -1;
	err = symbols_live_open(&c->symbols_live, &live);
	if (!err)
		err = publisher_open(&c->publisher, c->ring, c->symbols, probes_cpu_slots(c->probes));
	if (!err)
		err = probes_seal(c->probes);
	if (err) {
		log_error("cannot settle down: %s", strerror(-err));
		return EXIT_ERR(EX_SOFTWARE);
	}
	c->notify_fd = notify_open();
	if (c->notify_fd < 0 && c->notify_fd != -ENOENT)
		log_warn("cannot connect to $NOTIFY_SOCKET: %s: going on without a service manager",
			 strerror(-c->notify_fd));
	(void)malloc_trim(0);   /* kallsyms and the kernel's BTF took a lot of it */
	return 0;
}

/* The first thread beside this one: privilege is gone for both. */
static int start_listener(struct collector *c)
{
	uint8_t hello[MESSAGE_BYTES_MAX];
	ssize_t bytes;
	int err;

	bytes = hello_pack(&c->options, c->probes, &c->identity, symbols_hidden(c->symbols), hello,
			   sizeof(hello));
	err = bytes < 0 ? (int)bytes : listener_start(&c->listener, c->listen_fd, c->options.gid,
						      hello, (size_t)bytes);
	if (bytes >= 0)
		c->listen_fd = -1;
	if (err) {
		log_error("cannot start listening: %s", strerror(-err));
		return EXIT_ERR(EX_SOFTWARE);
	}
	return 0;
}

/* Nothing below needs privilege, nor any file but those that it publishes. */
static int enter_sandbox(const struct collector *c)
{
	const struct confine_files files = {
		.runtime_dir = runtime_dir(c->runtime),
		.removes_dir = runtime_made(c->runtime),
	};

	return sandbox_enter(c->options.uid, c->options.gid,
			     LISTENER_SPARE_FILES + SYMBOLS_SPARE_FILES, &files);
}

static int seal(const struct collector *c)
{
	const struct filter_files files = {
		.runtime_dir = runtime_dir(c->runtime),
		.listener = listener_socket(c->listener),
		.notify = c->notify_fd,
		.kallsyms = c->kallsyms_fd,
	};

	return sandbox_seal(&files);
}

/* The socket gets its name last: whoever can connect finds everything else. */
static int announce(struct collector *c)
{
	char ready[128];
	int err;

	if (loop_ended())               /* while it was attaching */
		return 0;
	err = runtime_publish(c->runtime, RUNTIME_SOCKET);
	if (err) {
		log_error("cannot publish in %s: %s", c->options.runtime_dir, strerror(-err));
		return EXIT_ERR(EX_CANTCREAT);
	}
	snprintf(ready, sizeof(ready), "READY=1\nSTATUS=Sampling %u CPUs at %u Hz",
		 probes_cpus_online(c->probes), c->options.rate_hz);
	notify_send(c->notify_fd, ready);
	return 0;
}

static void close_all(struct collector *c)
{
	notify_send(c->notify_fd, "STOPPING=1");
	listener_stop(c->listener);
	runtime_close(c->runtime);
	publisher_close(c->publisher);
	ring_writer_close(c->ring);
	probes_close(c->probes);
	symbols_live_close(c->symbols_live);
	symbols_close(c->symbols);
	if (c->symbols_fd >= 0)
		close(c->symbols_fd);
	if (c->listen_fd >= 0)
		close(c->listen_fd);
	if (c->kallsyms_fd >= 0)
		close(c->kallsyms_fd);
	if (c->notify_fd >= 0)
		close(c->notify_fd);
}

int main(int argc, char *argv[])
{
	struct collector c = { .kallsyms_fd = -1, .symbols_fd = -1, .notify_fd = -1, .listen_fd = -1 };
	int err;

	log_open("netto-collector");
	options_parse(&c.options, argc, argv);
	if (c.options.check)
		return exit_status(check_run(&c.options));
	loop_catch_signals();

	err = handover_take(&c.kallsyms_fd);    /* if a service manager opened it for us */
	if (!err)
		err = sandbox_prepare(c.kallsyms_fd);   /* nothing else inherited stays open */
	if (!err)
		err = sandbox_check();          /* what it takes to give root up */
	if (!err)
		err = preflight_check();        /* what it takes to attach: kernel, BTF, capabilities */
	if (!err)
		err = open_runtime(&c);         /* /run/netto, nobody else's and not in use */
	if (!err)
		err = attach_probes(&c);        /* open kallsyms; load, attach, map */
	if (!err)
		err = publish_files(&c);        /* symbols, ring, socket */
	if (!err)
		err = settle(&c);               /* close what is spare */
	if (!err)
		err = enter_sandbox(&c);        /* no root, no capability, no other files */
	if (!err)
		err = start_listener(&c);
	if (!err)
		err = seal(&c);                 /* no further thread, a list of system calls */
	if (!err)
		err = announce(&c);             /* READY */
	if (!err)
		err = loop_run(&c);             /* drain, publish, ring the bell, until a signal */

	close_all(&c);                          /* accepts any half of the above */
	return exit_status(err);
}
