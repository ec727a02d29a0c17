/* options.c - the command line of netto-aggregator */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "parse.h"
#include "usage.h"

#define RUNTIME_DIR_DEFAULT "/run/netto"

static const char usage[] =
"usage: netto-aggregator [OPTION...]   show what a running netto-collector measures\n"
"\n"
"      --runtime-dir=DIR        where the collector publishes (/run/netto)\n"
"  -u, --user-pids=PID,...      follow the user-space CPU time of these processes\n"
"      --allow-root             run although uid 0, which nothing here needs\n"
"\n"
"Where to show it (any number at once; none named: --table on a terminal, --log on\n"
"anything else)\n"
"      --table                  live table on the terminal\n"
"      --log                    JSON lines on standard output\n"
"      --log-file=PATH          JSON lines appended to PATH; SIGHUP reopens it\n"
"      --prometheus=ADDR:PORT   metrics over HTTP; no ADDR: loopback\n"
"\n"
"  -h, --help                   this text\n"
"  -V, --version                the version\n"
"\n"
"Exit status: 0 ended as asked; 64 usage; 69 an address refused; 70 internal error;\n"
"73 cannot create a file; 77 permission.\n";

enum {
	OPT_RUNTIME_DIR = 256,
	OPT_TABLE,
	OPT_LOG,
	OPT_LOG_FILE,
	OPT_PROMETHEUS,
	OPT_ALLOW_ROOT,
};

static const struct option long_options[] = {
	{ "runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR },
	{ "table", no_argument, NULL, OPT_TABLE },
	{ "log", no_argument, NULL, OPT_LOG },
	{ "log-file", required_argument, NULL, OPT_LOG_FILE },
	{ "prometheus", required_argument, NULL, OPT_PROMETHEUS },
	{ "user-pids", required_argument, NULL, 'u' },
	{ "allow-root", no_argument, NULL, OPT_ALLOW_ROOT },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static const char *not_empty(const char *option, const char *text, const char *what)
{
	if (!*text)
		usage_error("%s: an empty value: give %s", option, what);
	return text;
}

static void take_pids(struct options *o, const char *text)
{
	int n = parse_pids(text, o->pids, OPTIONS_PIDS_MAX);

	if (n == -EEXIST)
		usage_error("--user-pids %s: a pid stands there twice: name each once", text);
	if (n == -E2BIG)
		usage_error("--user-pids: too many pids: give at most %d", OPTIONS_PIDS_MAX);
	if (n < 0)
		usage_error("--user-pids %s: not a list of pids: give 1 to %d numbers with commas, "
			    "such as 1,4711", text, OPTIONS_PIDS_MAX);
	o->pid_count = (size_t)n;
}

static void take_prometheus(struct options *o, const char *text)
{
	if (parse_address(text, o->prometheus_host, sizeof(o->prometheus_host),
			  &o->prometheus_port))
		usage_error("--prometheus %s: not an address: give HOST:PORT, such as 127.0.0.1:24040",
			    text);
	o->prometheus = true;
}

static void take(struct options *o, int option)
{
	switch (option) {
	case OPT_RUNTIME_DIR:
		o->runtime_dir = not_empty("--runtime-dir", optarg, "a directory");
		break;
	case OPT_TABLE:
		o->table = true;
		break;
	case OPT_LOG:
		o->log_stdout = true;
		break;
	case OPT_LOG_FILE:
		o->log_file = not_empty("--log-file", optarg, "a path");
		break;
	case OPT_PROMETHEUS:
		take_prometheus(o, optarg);
		break;
	case 'u':
		take_pids(o, optarg);
		break;
	case OPT_ALLOW_ROOT:
		o->allow_root = true;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(EX_OK);
	case 'V':
		puts("netto-aggregator " NETTO_VERSION);
		exit(EX_OK);
	}
}

/* What getopt_long refused: ':' lacks its value, '?' is unknown, ambiguous or
 * has a value it does not take. */
static void refuse(int option, char *argv[])
{
	const char *word = argv[optind - 1];

	if (option == ':')
		usage_error("%s: its value is missing: see netto-aggregator --help", word);
	if (!strncmp(word, "--", 2))
		usage_error("%s: %s: see netto-aggregator --help", word,
			    optopt ? "takes no value" : "not an option, or short for several");
	usage_error("-%c: not an option: see netto-aggregator --help", optopt);
}

void options_parse(struct options *o, int argc, char *argv[])
{
	int option;

	*o = (struct options){ .runtime_dir = RUNTIME_DIR_DEFAULT };
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:u:hV", long_options, NULL)) != -1) {
		if (option == ':' || option == '?')
			refuse(option, argv);
		take(o, option);
	}
	if (optind < argc)
		usage_error("%s: not an option: see netto-aggregator --help", argv[optind]);
	if (o->table && o->log_stdout)
		usage_error("--table and --log both want standard output: give --log-file=PATH "
			    "instead of --log");
	if (!o->table && !o->log_stdout && !o->log_file && !o->prometheus) {
		o->table = isatty(STDOUT_FILENO);
		o->log_stdout = !o->table;
	}
}
