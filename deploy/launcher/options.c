/* options.c - the command line of netto */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "log.h"
#include "parse.h"
#include "usage.h"

#define PERIOD_MS_MIN 100
#define PERIOD_MS_MAX 60000
#define PIDS_MAX 256
#define PROMETHEUS_HOST_DEFAULT "127.0.0.1"
#define PROMETHEUS_PORT_DEFAULT "24040"

static const char usage[] =
"usage: netto [OPTION...]        measure this machine's network stack (as root)\n"
"       netto top [OPTION...]    one more view of a netto that already runs\n"
"       netto check [OPTION...]  what this kernel offers, probe by probe, and what is\n"
"                                missing; netto check --help\n"
"\n"
"What to measure\n"
"  -f, --frequency=HZ           samples per second on each CPU, 1 to 10000 (997)\n"
"      --user-period=MS         time between two updates, 100 to 60000 (500)\n"
"      --exact-syscalls=HOW     time sends and receives exactly: fentry, tracepoint\n"
"                               (slows every system call a little), off; auto: fentry\n"
"                               if the kernel lets us (auto)\n"
"  -u, --user-pids=PID,...      follow the user-space CPU time of these processes\n"
"\n"
"Where to show it (any number at once; none named: a live table on a terminal,\n"
"JSON lines on a pipe)\n"
"      --table                  live table on the terminal, beside the others\n"
"  -l, --log-file=PATH          JSON lines appended to PATH; SIGHUP reopens it\n"
"  -P, --prometheus[=ADDR:PORT] metrics over HTTP (127.0.0.1:24040)\n"
"  -a, --address=ADDR           with -P: address to listen on\n"
"  -p, --port=PORT              with -P: port to listen on\n"
"\n"
"How to run\n"
"      --runtime-dir=DIR        where collector and aggregators meet (/run/netto)\n"
"      --user=USER[:GROUP]      who the aggregator runs as (netto, else 65532)\n"
"  -h, --help                   this text\n"
"  -V, --version                the version\n"
"\n"
"Exit status: 0 ended as asked; 64 usage; 69 the kernel or an address refuses\n"
"what is needed; 70 internal error; 73 cannot create a file; 77 permission.\n";

enum {
	OPT_USER_PERIOD = 256,
	OPT_EXACT_SYSCALLS,
	OPT_TABLE,
	OPT_RUNTIME_DIR,
	OPT_USER,
};

static const struct option long_options[] = {
	{ "frequency", required_argument, NULL, 'f' },
	{ "user-period", required_argument, NULL, OPT_USER_PERIOD },
	{ "exact-syscalls", required_argument, NULL, OPT_EXACT_SYSCALLS },
	{ "user-pids", required_argument, NULL, 'u' },
	{ "table", no_argument, NULL, OPT_TABLE },
	{ "log-file", required_argument, NULL, 'l' },
	{ "prometheus", optional_argument, NULL, 'P' },
	{ "address", required_argument, NULL, 'a' },
	{ "port", required_argument, NULL, 'p' },
	{ "runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR },
	{ "user", required_argument, NULL, OPT_USER },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

/* A number within limits, kept as text: the children parse it again. */
static const char *number(const char *option, const char *text, unsigned int min, unsigned int max,
			  const char *unit)
{
	uint64_t value;

	if (parse_u64(text, min, max, &value))
		usage_error("%s %s: not a whole number of %s: give %u to %u", option, text, unit,
			    min, max);
	return text;
}

const char *options_frequency(const char *text)
{
	return number("--frequency", text, 1, HZ_MAX, "samples per second");
}

static const char *pid_list(const char *text)
{
	pid_t pids[PIDS_MAX];
	ssize_t n = parse_pids(text, pids, PIDS_MAX);

	if (n == -EEXIST)
		usage_error("--user-pids %s: a pid stands there twice: name each once", text);
	if (n < 0)
		usage_error("--user-pids %s: not a list of pids: give 1 to %d numbers with commas, "
			    "such as 1,4711", text, PIDS_MAX);
	return text;
}

const char *options_exact_mode(const char *text)
{
	static const char *const modes[] = { "auto", "fentry", "tracepoint", "off" };

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(text, modes[i]))
			return text;
	usage_error("--exact-syscalls %s: no such way: give auto, fentry, tracepoint or off", text);
}

static const char *not_empty(const char *option, const char *text, const char *what)
{
	if (!*text)
		usage_error("%s: an empty value: give %s", option, what);
	return text;
}

/* "-P" with "-a" and "-p", or "--prometheus=ADDR:PORT": one address in the end. */
static void join_prometheus(struct options *o, const char *joined, const char *address,
			    const char *port)
{
	char host[256];
	uint16_t number_of_port;
	int length;

	if (!o->prometheus && (address || port))
		usage_error("%s: no backend to use it: add -P to serve metrics there",
			    address ? "--address" : "--port");
	if (joined && (address || port))
		usage_error("--prometheus=%s: the address is named twice: leave out -a and -p",
			    joined);
	if (!joined) {
		address = address ? address : PROMETHEUS_HOST_DEFAULT;
		port = port ? port : PROMETHEUS_PORT_DEFAULT;
		length = snprintf(o->prometheus_address, sizeof(o->prometheus_address),
				  strchr(address, ':') && *address != '[' ? "[%s]:%s" : "%s:%s",
				  address, port);
	} else {
		length = snprintf(o->prometheus_address, sizeof(o->prometheus_address), "%s", joined);
	}
	joined = o->prometheus_address;
	/* one cut short may still be an address: another one */
	if (length >= (int)sizeof(o->prometheus_address) ||
	    parse_address(joined, host, sizeof(host), &number_of_port))
		usage_error("--prometheus %s: not an address: give HOST:PORT, such as %s:%s", joined,
			    PROMETHEUS_HOST_DEFAULT, PROMETHEUS_PORT_DEFAULT);
}

/* One option of getopt_long; what only "netto" itself understands is refused
 * by "netto top", whose collector already runs with its own settings. */
static void take(struct options *o, int option, const char **joined, const char **address,
		 const char **port)
{
	switch (option) {
	case 'f':
		o->frequency = options_frequency(optarg);
		break;
	case OPT_USER_PERIOD:
		o->period = number("--user-period", optarg, PERIOD_MS_MIN, PERIOD_MS_MAX,
				   "milliseconds");
		break;
	case 'u':
		o->pids = pid_list(optarg);
		break;
	case OPT_EXACT_SYSCALLS:
		o->exact_syscalls = options_exact_mode(optarg);
		break;
	case OPT_TABLE:
		o->table = true;
		break;
	case 'l':
		o->log_file = not_empty("--log-file", optarg, "a path");
		break;
	case 'P':
		o->prometheus = true;
		*joined = optarg ? optarg : *joined;
		break;
	case 'a':
		*address = not_empty("--address", optarg, "an address");
		break;
	case 'p':
		*port = number("--port", optarg, 0, 65535, "port");
		break;
	case OPT_RUNTIME_DIR:
		o->runtime_dir = not_empty("--runtime-dir", optarg, "a directory");
		break;
	case OPT_USER:
		o->user = not_empty("--user", optarg, "a user");
		break;
	case 'h':
		fputs(usage, stdout);
		exit(EX_OK);
	case 'V':
		puts("netto " NETTO_VERSION);
		exit(EX_OK);
	}
}

static void check_words(struct options *o, int argc, char *argv[])
{
	if (optind < argc && !strcmp(argv[optind], "top")) {
		o->command = COMMAND_TOP;
		optind++;
	}
	if (optind < argc && !strcmp(argv[optind], "check"))
		usage_error("check: its options come behind it: netto check --help lists them");
	if (optind < argc)
		usage_error("%s: not a command: there is netto alone, netto top and netto check",
			    argv[optind]);
	if (o->command == COMMAND_TOP && (o->frequency || o->period || o->exact_syscalls))
		usage_error("netto top shows what a running collector measures: %s belongs to the "
			    "netto that started it", o->frequency ? "--frequency" :
			    o->period ? "--user-period" : "--exact-syscalls");
}

void options_parse(struct options *o, int argc, char *argv[])
{
	const char *joined = NULL, *address = NULL, *port = NULL;
	int option;

	*o = (struct options){ .runtime_dir = RUNTIME_DIR_DEFAULT };
	if (argc > 1 && !strcmp(argv[1], "check")) {
		o->command = COMMAND_CHECK;
		check_options_parse(&o->check, argc - 1, argv + 1);
		return;
	}
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":f:u:l:Pa:p:hV", long_options, NULL)) != -1) {
		if (option == ':')
			usage_error("%s: its value is missing: netto --help tells which",
				    argv[optind - 1]);
		if (option == '?' && optopt && optopt < 256)
			usage_error("-%c: no such option: netto --help lists them", optopt);
		if (option == '?')
			usage_error("%s: no such option, or a value it does not take: netto --help "
				    "lists them", argv[optind - 1]);
		take(o, option, &joined, &address, &port);
	}
	check_words(o, argc, argv);
	join_prometheus(o, joined, address, port);
}
