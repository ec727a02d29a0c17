/* check_options.c - the command line of netto check */
#include "check_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "options.h"
#include "usage.h"

static const char usage[] =
"usage: netto check [OPTION...]\n"
"\n"
"Tells what this kernel offers to netto: what it is and allows, each probe with\n"
"the function it hooks or why it does not, what is exact and what is sampled as\n"
"a result, and what that costs. As root the probes are attached for a moment,\n"
"and removed; as anybody else only what can be seen is told. No traffic is\n"
"needed, a netto that runs is not disturbed.\n"
"\n"
"  -f, --frequency=HZ       the samples per second that netto is to take (997)\n"
"      --exact-syscalls=HOW how it is to time sends and receives: auto, fentry,\n"
"                           tracepoint or off (auto)\n"
"      --json               one JSON object\n"
"  -h, --help               this text\n"
"  -V, --version            the version\n"
"\n"
"Exit status: 0 netto can run; if not, the last line says what to change: 69 the\n"
"kernel lacks or refuses what is needed; 77 permission. 64 usage; 70 internal error.\n";

enum { OPT_EXACT_SYSCALLS = 256, OPT_JSON };

static const struct option long_options[] = {
	{ "frequency", required_argument, NULL, 'f' },
	{ "exact-syscalls", required_argument, NULL, OPT_EXACT_SYSCALLS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ 0 },
};

static void take(struct check_options *o, int option)
{
	switch (option) {
	case 'f':
		o->frequency = options_frequency(optarg);
		break;
	case OPT_EXACT_SYSCALLS:
		o->exact_syscalls = options_exact_mode(optarg);
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(EX_OK);
	case 'V':
		puts("netto " NETTO_VERSION);
		exit(EX_OK);
	}
}

void check_options_parse(struct check_options *o, int argc, char *argv[])
{
	int option;

	*o = (struct check_options){ 0 };
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":f:hV", long_options, NULL)) != -1) {
		if (option == ':')
			usage_error("%s: its value is missing: netto check --help tells which",
				    argv[optind - 1]);
		if (option == '?' && optopt && optopt < 256)
			usage_error("-%c: no such option: netto check --help lists them", optopt);
		if (option == '?')
			usage_error("%s: no such option, or a value it does not take: netto check "
				    "--help lists them", argv[optind - 1]);
		take(o, option);
	}
	if (optind < argc)
		usage_error("%s: an argument too many: netto check takes options only", argv[optind]);
}
