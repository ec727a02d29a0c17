/* options.c - the command line of netto-collector */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "parse.h"
#include "ring.h"

#define RUNTIME_DIR_DEFAULT "/run/netto"
#define RATE_HZ_DEFAULT 997    /* a prime: does not march in step with periodic work */
#define RATE_HZ_MAX 10000
#define RATE_LIMIT_FILE "/proc/sys/kernel/perf_event_max_sample_rate"
#define PERIOD_MS_DEFAULT 500
#define PERIOD_MS_MIN 100
#define PERIOD_MS_MAX 60000
#define NS_PER_MS 1000000ull
#define RING_BYTES_DEFAULT (4u << 20)
#define USER_DEFAULT "netto-collector"
#define ID_DEFAULT 65533

static const char usage[] =
"usage: netto-collector [OPTION...]\n"
"\n"
"Measures the kernel's network stack and publishes what it saw to any number of\n"
"netto-aggregators. Needs root, or CAP_BPF and CAP_PERFMON, only to start; \"netto\"\n"
"starts it together with an aggregator.\n"
"\n"
"  -f, --frequency=HZ       samples per second on each CPU, 1 to 10000 (997)\n"
"      --period=MS          time between two snapshots, 100 to 60000 (500)\n"
"      --ring-size=SIZE     a power of two, 64KiB to 1024MiB (4MiB)\n"
"      --runtime-dir=DIR    where to publish (/run/netto)\n"
"      --user=USER[:GROUP]  who to become (netto-collector, else 65533)\n"
"      --exact-syscalls=HOW time sends and receives exactly: fentry, tracepoint (slows\n"
"                           every system call a little), off; auto: fentry if the\n"
"                           kernel lets us (auto)\n"
"      --no-filter          keep every sample in kernel mode, for comparing\n"
"      --check              attach the probes, report in lines for \"netto check\", end\n"
"  -h, --help               this text\n"
"  -V, --version            the version\n"
"\n"
"Exit status: 0 ended by SIGTERM or SIGINT; 64 usage; 69 the kernel refuses what\n"
"is needed, or a collector already runs there; 70 internal error; 73 cannot create\n"
"a file; 75 the set of CPUs changed, start again; 77 permission.\n";

enum {
	OPT_PERIOD = 256,
	OPT_RING_SIZE,
	OPT_RUNTIME_DIR,
	OPT_USER,
	OPT_EXACT_SYSCALLS,
	OPT_NO_FILTER,
	OPT_CHECK,
};

static const struct option long_options[] = {
	{ "frequency", required_argument, NULL, 'f' },
	{ "period", required_argument, NULL, OPT_PERIOD },
	{ "ring-size", required_argument, NULL, OPT_RING_SIZE },
	{ "runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR },
	{ "user", required_argument, NULL, OPT_USER },
	{ "exact-syscalls", required_argument, NULL, OPT_EXACT_SYSCALLS },
	{ "no-filter", no_argument, NULL, OPT_NO_FILTER },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

#define end_with(status, ...) \
	do { \
		log_error(__VA_ARGS__); \
		exit(status); \
	} while (0)

#define usage_error(...) end_with(EX_USAGE, __VA_ARGS__)

/* The kernel's own check is for its frequency mode; a fixed period would get
 * past it, but what the administrator forbade stays forbidden. The kernel lowers
 * the limit by itself, too, so our own choice gives way. */
static uint32_t allowed_rate(uint32_t rate_hz)
{
	FILE *file = fopen(RATE_LIMIT_FILE, "re");
	unsigned int limit_hz = 0;

	if (file) {
		(void)!fscanf(file, "%u", &limit_hz);
		fclose(file);
	}
	if (!limit_hz || limit_hz >= (rate_hz ? rate_hz : RATE_HZ_DEFAULT))
		return rate_hz ? rate_hz : RATE_HZ_DEFAULT;
	if (rate_hz)
		usage_error("--frequency %u: above kernel.perf_event_max_sample_rate, which is %u: "
			    "give less, or raise that", rate_hz, limit_hz);
	log_warn("sampling at %u Hz instead of %u: kernel.perf_event_max_sample_rate allows no more",
		 limit_hz, RATE_HZ_DEFAULT);
	return limit_hz;
}

static uint64_t number(const char *option, const char *text, uint64_t min, uint64_t max,
		       const char *what)
{
	uint64_t value = 0;

	if (parse_u64(text, min, max, &value))
		usage_error("%s %s: not a whole number in range: give %u to %u %s", option, text,
			    (unsigned int)min, (unsigned int)max, what);
	return value;
}

/* "512KiB", "512K", "4MiB", "4M". */
static uint32_t ring_size(const char *text)
{
	static const struct { const char *name; unsigned int shift; } units[] = {
		{ "KiB", 10 }, { "K", 10 }, { "MiB", 20 }, { "M", 20 },
	};
	char digits[16] = "";
	size_t bytes = strspn(text, "0123456789");
	uint64_t value, size = 0;

	if (bytes < sizeof(digits))
		memcpy(digits, text, bytes);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text + bytes, units[i].name) &&
		    !parse_u64(digits, 1, RING_DATA_BYTES_MAX >> units[i].shift, &value))
			size = value << units[i].shift;
	if (size < RING_DATA_BYTES_MIN || (size & (size - 1)))
		usage_error("--ring-size %s: not a size for a ring: give a power of two from 64KiB "
			    "to 1024MiB", text);
	return (uint32_t)size;
}

static enum probes_exact_mode exact_mode(const char *text)
{
	static const char *const names[] = {
		[PROBES_EXACT_AUTO] = "auto", [PROBES_EXACT_FENTRY] = "fentry",
		[PROBES_EXACT_TRACEPOINT] = "tracepoint", [PROBES_EXACT_OFF] = "off",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(text, names[i]))
			return (enum probes_exact_mode)i;
	usage_error("--exact-syscalls %s: no such way: give auto, fentry, tracepoint or off", text);
}

/* The user named, or a user of the default name, or the default number. */
static void choose_user(struct options *o, const char *text)
{
	const struct passwd *pw;

	if (text && parse_user(text, &o->uid, &o->gid))
		usage_error("--user %s: no such user or group: give names or numbers that exist",
			    text);
	if (text && (!o->uid || !o->gid))
		usage_error("--user %s: the collector cannot stay root: give an unprivileged user "
			    "and group", text);
	if (geteuid()) {
		if (text && (o->uid != geteuid() || o->gid != getegid()))
			end_with(EX_NOPERM, "--user %s: only root can become another user: leave it "
				 "out, or start as root", text);
		o->uid = geteuid();
		o->gid = getegid();
	} else if (!text) {
		pw = getpwnam(USER_DEFAULT);
		o->uid = pw && pw->pw_uid ? pw->pw_uid : ID_DEFAULT;
		o->gid = pw && pw->pw_uid ? pw->pw_gid : ID_DEFAULT;
	}
}

static void take(struct options *o, int option, const char **user)
{
	switch (option) {
	case 'f':
		o->rate_hz = (uint32_t)number("--frequency", optarg, 1, RATE_HZ_MAX,
					      "samples per second");
		break;
	case OPT_PERIOD:
		o->period_ns = NS_PER_MS * number("--period", optarg, PERIOD_MS_MIN, PERIOD_MS_MAX,
						  "milliseconds");
		break;
	case OPT_RING_SIZE:
		o->ring_bytes = ring_size(optarg);
		break;
	case OPT_RUNTIME_DIR:
		if (!*optarg)
			usage_error("--runtime-dir: an empty value: give a directory");
		o->runtime_dir = optarg;
		break;
	case OPT_USER:
		*user = optarg;
		break;
	case OPT_EXACT_SYSCALLS:
		o->exact = exact_mode(optarg);
		break;
	case OPT_NO_FILTER:
		o->filter = false;
		break;
	case OPT_CHECK:
		o->check = true;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(EX_OK);
	case 'V':
		puts("netto-collector " NETTO_VERSION);
		exit(EX_OK);
	}
}

void options_parse(struct options *o, int argc, char *argv[])
{
	const char *user = NULL;
	int option;

	*o = (struct options){
		.runtime_dir = RUNTIME_DIR_DEFAULT,
		.period_ns = PERIOD_MS_DEFAULT * NS_PER_MS,
		.ring_bytes = RING_BYTES_DEFAULT,
		.filter = true,
	};
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":f:hV", long_options, NULL)) != -1) {
		if (option == ':')
			usage_error("%s: its value is missing: netto-collector --help tells which",
				    argv[optind - 1]);
		if (option == '?' && optopt && optopt < 256)
			usage_error("-%c: no such option: netto-collector --help lists them", optopt);
		if (option == '?')
			usage_error("%s: no such option, or a value it does not take: "
				    "netto-collector --help lists them", argv[optind - 1]);
		take(o, option, &user);
	}
	if (optind < argc)
		usage_error("%s: an argument too many: netto-collector takes options only",
			    argv[optind]);
	o->rate_hz = allowed_rate(o->rate_hz);
	choose_user(o, user);
}
