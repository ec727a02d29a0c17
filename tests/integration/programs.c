/* programs.c - BPF programs that come, burn time and go
 *
 *   programs hold NAME INTERFACE   generic XDP that passes everything after a while of
 *                                  spinning; says "attached", goes at the end of its input
 *   programs churn COUNT           load and unload so many, each under another name
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPINS 3000   /* some 2 us: most of what a small packet costs */

/* r0 counts up to spins, then becomes XDP_PASS. The descriptor or -errno. */
static int load(const char *name, int spins)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_JLT | BPF_K, .dst_reg = BPF_REG_0, .off = -2, .imm = spins },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, name, "GPL", insns, sizeof(insns) / sizeof(insns[0]),
			     NULL);
}

static int hold(const char *name, const char *interface)
{
	const int index = (int)if_nametoindex(interface);
	const int fd = load(name, SPINS);
	int err = fd < 0 ? fd : bpf_xdp_attach(index, fd, XDP_FLAGS_SKB_MODE, NULL);

	if (err) {
		fprintf(stderr, "programs: %s on %s: %s\n", name, interface, strerror(-err));
		return 1;
	}
	puts("attached");
	fflush(stdout);
	while (getchar() != EOF)
		;
	(void)bpf_xdp_detach(index, XDP_FLAGS_SKB_MODE, NULL);
	close(fd);
	return 0;
}

static int churn(int count)
{
	for (int i = 0; i < count; i++) {
		char name[20];   /* the kernel cuts it */
		int fd;

		snprintf(name, sizeof(name), "churn_%d", i % 1000000);
		fd = load(name, 1);
		if (fd < 0) {
			fprintf(stderr, "programs: %s: %s\n", name, strerror(-fd));
			return 1;
		}
		close(fd);
	}
	return 0;
}

int main(int argc, char *argv[])
{
	if (argc == 4 && !strcmp(argv[1], "hold"))
		return hold(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "churn"))
		return churn(atoi(argv[2]));
	fputs("usage: programs hold NAME INTERFACE | churn COUNT\n", stderr);
	return 64;
}
