/* tests/unit/test_exit_status.c - exit statuses as the manual states them */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exit_status.h"

static void each_error_has_the_stated_status(void **state)
{
	static const struct { int err; int want; const char *why; } cases[] = {
		{ 0,                          0,  "no error" },
		{ EXIT_ERR(0),                0,  "a step that knows that all is well" },
		{ EXIT_ERR(EX_USAGE),         64, "usage" },
		{ EXIT_ERR(EX_TEMPFAIL),      75, "starting again helps" },
		{ EXIT_ERR(EX_CONFIG),        78, "configuration" },
		{ EXIT_ERR(255),              255, "the largest status there is" },
		{ EXIT_ERR(256),              70, "not a status: it would end as 0" },
		{ -EPERM,                     77, "permission" },
		{ -EACCES,                    77, "permission" },
		{ -EEXIST,                    73, "a foreign file is in the way" },
		{ -ENOSPC,                    73, "the disk is full" },
		{ -ENOTDIR,                   73, "the runtime directory is a file" },
		{ -EADDRINUSE,                69, "address in use" },
		{ -ENOSYS,                    69, "the kernel has no such call" },
		{ -ENOMEM,                    69, "refused by the kernel" },
		{ -EAGAIN,                    70, "not 75: starting again does not help by itself" },
		{ -3008,                      69, "a name that does not resolve (UV_EAI_NONAME)" },
		{ -EINVAL,                    70, "whoever means usage says so" },
		{ -4095,                      70, "a code of libuv's own (UV_EOF)" },
		{ 1,                          70, "not an error number" },
		{ INT32_MIN + 1,              70, "far outside" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (exit_status(cases[i].err) != cases[i].want)
			fail_msg("%d: %s: %d instead of %d", cases[i].err, cases[i].why,
				 exit_status(cases[i].err), cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_error_has_the_stated_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
