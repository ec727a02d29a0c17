/* pass.bpf.c - an XDP program that lets every packet through, for ip link set ... xdpgeneric */
#define SEC(name) __attribute__((section(name), used))

SEC("xdp")
int pass(void *ctx)
{
	(void)ctx;
	return 2;       /* XDP_PASS */
}

char pass_license[] SEC("license") = "BSD";
