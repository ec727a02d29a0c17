/* symbols_live.c - the published symbol table follows the kernel
 *
 * System calls of the steady state, all by the one thread that drains:
 *
 *   a change of BPF programs (the rings are read through a mapping):
 *     umask(022 octal or 0), twice      openat(the runtime directory, "symbols.new",
 *       O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0440)
 *     newfstatat(the runtime directory, "symbols.new", AT_SYMLINK_NOFOLLOW)
 *     pread64(last table, at most 64 KiB)   pwrite64(new table, at most 64 KiB)
 *     renameat(the runtime directory, "symbols.new", the same, "symbols")
 *     close(last table); after an error close(new table) and
 *     unlinkat(the runtime directory, "symbols.new", 0)
 *   a change of modules, and records that the kernel lost, beside these:
 *     lseek(kallsyms, 0, SEEK_SET)      read(kallsyms)
 *     malloc and free of up to 32 MiB: mmap(PROT_READ|PROT_WRITE, private,
 *       anonymous), mremap, munmap, brk, madvise
 *
 * Descriptors: one more than between changes.
 */
#include "symbols_live.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kallsyms.h"
#include "log.h"
#include "texts.h"

/* A new table costs every reader some 15 ms. On a machine where programs come
 * and go all day, those that no sample meets can wait: so many tables are to
 * spare, and a further one every SPARE_PERIODS. */
#define SPARE_MAX 8
#define SPARE_PERIODS 10

#define READ_SHARE 20   /* reading kallsyms, some 50 ms, takes one part in so many at most */

struct symbols_live {
	struct symbols_live_config config;
	uint64_t generation;
	uint64_t module_changes;     /* as counted when kallsyms was last read */
	bool read_wanted;            /* kallsyms tells something new */
	uint64_t read_due_ns;        /* not before */
	bool text_owed;              /* what kallsyms told could not be published */
	bool settling;               /* a module may have been on its way out when it was read */
	uint64_t published_ns;       /* or tried, last */
	unsigned int spare;
	uint64_t spare_ns;           /* when the last one was added */
	uint64_t lost;
	bool said;
};

int symbols_live_open(struct symbols_live **out, const struct symbols_live_config *config)
{
	struct symbols_live *l = calloc(1, sizeof(*l));

	if (!l) {
		close(config->published_fd);
		return -ENOMEM;
	}
	l->config = *config;
	l->generation = SYMBOLS_FIRST_GENERATION;
	l->spare = SPARE_MAX;
	*out = l;
	return 0;
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void on_ksymbol(void *arg, const struct ksymbol *symbol)
{
	struct texts *texts = arg;
	const bool kprobe = !symbol->bpf && strncmp(symbol->name, "ftrace_", 7);

	if (symbol->gone) {
		texts_remove(texts, symbol->address);
		return;
	}
	texts_add(texts, &(struct text_facts){
		.start = symbol->address,
		.bytes = symbol->bytes,
		.kind = symbol->bpf ? TEXT_BPF : kprobe ? TEXT_KPROBES : TEXT_FTRACE,
		.exact = true,
		.name = symbol->name,
		.name_bytes = symbol->name_bytes,
	});
}

/* What the kernel tells by itself. */
static void take_news(struct symbols_live *l, struct texts *texts)
{
	const uint64_t changes = probes_module_changes(l->config.probes);
	const uint64_t lost = probes_take_ksymbols(l->config.probes, on_ksymbol, texts);

	if (lost && symbols_show_programs(l->config.symbols))
		l->read_wanted = true;
	else
		l->lost += lost;
	if (changes != l->module_changes)
		l->read_wanted = l->settling = true;
	l->module_changes = changes;
}

static bool may_publish(struct symbols_live *l, const struct texts *texts, uint64_t now_ns)
{
	const uint64_t period_ns = l->config.period_ns;

	for (; now_ns - l->spare_ns >= SPARE_PERIODS * period_ns && l->spare < SPARE_MAX; l->spare++)
		l->spare_ns += SPARE_PERIODS * period_ns;
	if (l->spare == SPARE_MAX)
		l->spare_ns = now_ns;
	/* half a period, so that with the wait for the next drain it is within one */
	if (l->published_ns && now_ns - l->published_ns < period_ns / 2)
		return false;
	return l->spare || texts_missed(texts);
}

/* Text of kallsyms, the caller's, with what it told taken in. 0; -errno. */
static int read_kallsyms(struct symbols_live *l, char **text, size_t *bytes, uint64_t now_ns)
{
	const ssize_t got = l->config.kallsyms_fd < 0 ? -EBADF :
			    kallsyms_read(l->config.kallsyms_fd, text);
	int err = got < 0 ? (int)got : symbols_read(l->config.symbols, *text, (size_t)got);

	*bytes = got < 0 ? 0 : (size_t)got;
	/* trace_module_free() comes before the module leaves the list */
	l->read_wanted = err || l->settling;
	l->settling &= err != 0;
	l->read_due_ns = now_ns + l->config.period_ns / 2 + READ_SHARE * (clock_ns() - now_ns);
	return err;
}

static int publish(struct symbols_live *l, const char *text, size_t bytes)
{
	struct runtime *runtime = l->config.runtime;
	const int fd = runtime_create(runtime, RUNTIME_SYMBOLS);
	int err = fd < 0 ? fd : symbols_write(l->config.symbols, text, bytes,
					      l->config.published_fd, fd);

	if (!err)
		err = runtime_publish(runtime, RUNTIME_SYMBOLS);
	if (err) {
		runtime_discard(runtime, RUNTIME_SYMBOLS);
		if (fd >= 0)
			close(fd);
		l->text_owed |= text != NULL;
		l->read_wanted |= l->text_owed;
		return err;
	}
	l->text_owed = false;
	symbols_published(l->config.symbols);
	close(l->config.published_fd);
	l->config.published_fd = fd;
	l->generation++;
	return 0;
}

/* Once until it works again. */
static void say_once(struct symbols_live *l, int err, bool published)
{
	if (err && !l->said)
		log_warn("cannot follow the kernel's symbols: %s: what was loaded since has no name, "
			 "trying on", strerror(-err));
	l->said = err || (l->said && !published);
}

uint64_t symbols_live_follow(struct symbols_live *l, uint64_t now_ns)
{
	struct texts *texts = symbols_texts(l->config.symbols);
	const uint64_t before = l->generation;
	char *text = NULL;
	size_t bytes = 0;
	int err = 0;

	if (!texts)
		return 0;
	texts_tick(texts, now_ns);
	take_news(l, texts);
	if (!(l->read_wanted || texts_changed(texts)) || !may_publish(l, texts, now_ns))
		return 0;
	if (l->read_wanted && now_ns >= l->read_due_ns)
		err = read_kallsyms(l, &text, &bytes, now_ns);
	if (!err && texts_changed(texts) && (text || !l->text_owed)) {
		l->published_ns = now_ns;
		l->spare -= l->spare > 0;
		err = publish(l, text, bytes);
	}
	if (text) {
		free(text);
		(void)malloc_trim(0);
	}
	say_once(l, err, l->generation != before);
	return l->generation == before ? 0 : l->generation;
}

uint64_t symbols_live_missed(const struct symbols_live *l)
{
	const struct texts *texts = symbols_texts(l->config.symbols);

	return l->lost + (texts ? texts_refused(texts) : 0);
}

void symbols_live_close(struct symbols_live *l)
{
	if (!l)
		return;
	close(l->config.published_fd);
	free(l);
}
