/* driver.c - runs a target over the files given, or over those in the directories given
 *
 * For compilers without libFuzzer: the seeds stay whole, and an input that
 * libFuzzer found is looked at under any debugger.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Read anew for each input, to its exact size, so that ASan sees a step too far. */
static int run_file(const char *path)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	uint8_t *data;
	int err = -1;

	if (!file)
		return -1;
	if (!fstat(fileno(file), &st) && (data = malloc((size_t)st.st_size + !st.st_size))) {
		if (fread(data, 1, (size_t)st.st_size, file) == (size_t)st.st_size)
			err = LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
		free(data);
	}
	fclose(file);
	return err;
}

/* How many were run; -1: one could not be. */
static int run_directory(const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	int count = 0;

	if (!directory)
		return -1;
	while (count >= 0 && (entry = readdir(directory))) {
		char file[4096];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		count = run_file(file) ? -1 : count + 1;
	}
	closedir(directory);
	return count;
}

static int run(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -1;
	if (S_ISDIR(st.st_mode))
		return run_directory(path);
	return run_file(path) ? -1 : 1;
}

int main(int argc, char *argv[])
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	int total = 0;

	for (int i = 1; i < argc; i++) {
		const int count = run(argv[i]);

		if (count < 0) {
			printf("not ok %s_seeds: cannot read %s\n", name, argv[i]);
			return 1;
		}
		total += count;
	}
	if (!total) {
		printf("not ok %s_seeds: no input\n", name);
		return 1;
	}
	printf("# %d inputs\nok %s_seeds\n", total, name);
	return 0;
}
