"""An independent reading of kernel stacks, to judge netto's by.

It shares nothing with the product: patterns in place of a table, and the rules in other words.
 1. Only kernel frames count; what follows a dot in a name is the compiler's.
 2. Walking outwards, the first function that the kernel runs on its own account (a softirq
    action, a thread, a poll loop) owns the time; what was interrupted does not. A softirq that
    no action shows for, but an unlock right in the dispatcher, is HRTIMER's; the dispatcher
    itself is its caller's; tracers that it calls are told apart ("tracers"): perf cannot say
    on which side of netto's own probe they ran.
 3. In a task the outermost call that has to do with sockets decides; any other task is "other".
    A stack is the network's if a function on it is its own: scheduler, memory, locks, wake-ups
    are not.
 4. Code belongs to the innermost function that has an owner. Netfilter's rules are the hook's,
    classifiers' and programs' the one's who runs them.
 5. The step is found from the outside in: each function that takes a packet in hand moves it on;
    forwarding and local delivery are where it stays; a function that receives anew (behind a
    bridge, a tunnel) starts again. IP output called by a function that receives is forwarding,
    whatever tail calls left of it.
"""
import re


def rules(text):
    """Rows "owner: pattern pattern ..." over several lines; a pattern is a prefix."""
    found = re.findall(r"^(\S+):(.*(?:\n +.*)*)", text, re.M)
    return [(owner, re.compile("|".join(patterns.split()))) for owner, patterns in found]


# What runs on its own account: the context and, for softirqs, the vector.
OWNERS = rules(r"""
softirq_rx/net_rx: net_rx_action$
softirq_tx/net_tx: net_tx_action$
softirq_timer/timer: run_timer_softirq$
softirq_timer/hrtimer: hrtimer_run_softirq$
softirq_timer/tasklet: tasklet_action workqueue_softirq_action$
softirq_timer/hi: tasklet_hi_action$
nobody/-: rcu_core blk_done_softirq$ sched_balance_softirq$ run_rebalance_domains$
napi_thread/-: napi_threaded_poll
busy_poll/-: (__)?napi_busy_loop
io_worker/-: io_wqe?_worker$ io_sq_thread$
kthread/-: kthread$ process_one_work$ vhost_task_fn$
interrupt/-: (asm_)?sysvec_ (asm_)?common_interrupt$ asm_exc_nmi$
""")
CALLS = rules(r"""
syscall_tx: ____?sys_send __sys_send __x64_sys_send(to|msg|mmsg)$ sock_write_iter$
  (__)?sock_sendmsg$ sock_sendpage$ splice_to_socket$ io_send
syscall_rx: ____?sys_recv __sys_recv do_recvmmsg$ __x64_sys_recv sock_read_iter$ sock_recvmsg$
  sock_splice_read$ tcp_splice_read$ io_recv
syscall_other: sock_close$ (__x64)?__?_?sys_(connect|accept|shutdown|setsockopt|getsockopt|socket)
  sock_poll$ sock_ioctl$
""")

# Whose code a function is, tried in this order. "!": shared with others, so that such a function
# makes no stack the network's; "=": the network's, working for its caller.
PATTERNS = rules(r"""
!observer: (__)?bpf_(trace_run|trampoline_|prog_enter|prog_exit) perf_(trace_|tp_|swevent|event_)
  trace_event_ __traceiter_
conntrack: (__)?nf_conntrack (__)?nf_ct_ nf_confirm$ ipv[46]_(conntrack|confirm|defrag) gc_worker$
  init_conntrack hash_conntrack .*_conntrack_ early_drop nf_expect
nat: (__)?nf_nat nf_xfrm_me_harder masquerade .*_manip_pkt
flowtable: nf_flow_
ipvs: (__)?ip_vs_
+hook: nf_ __?nft_ nft_ (ip|ip6|arp|eb)t_ x?t_ ip(6)?table_ ip_set_ \w+_mt(_v\d)?$ \w+_tg(_v\d)?$
bridge: (__)?br_ fdb_ setup_pre_routing ip_sabotage_in
+filter: (__)?tcf_ tc_run$ cls_ (u32|mall|fl|basic)_classify
xdp_generic: do_xdp_generic bpf_prog_run_generic_xdp netif_receive_generic_xdp generic_xdp
  xsk_generic
!+program: bpf_prog_[0-9a-f]{8} bpf_dispatcher_ .*bpf_prog_run
xdp_native: xdp_ (cpu|dev)_map_ __dev_flush bq_xmit bq_flush __xsk_map xsk_ .*_xdp_(xmit|flush|tx)
wireguard: wg_
tunnel: vxlan_ geneve_ (__)?(ip)?gre_ ip_(md_)?tunnel ip6?_?tunnel_ iptunnel_ ipip_ sit_ ip6_tnl
  udp_tunnel skb_tunnel_
=helper: __napi_schedule$ __xfrm_decode_session decode_session
ipsec: (__)?xfrm esp6?_ ah6?_
ovs: ovs_ netdev_frame_hook
vdev: vlan_ bond_ team_ macvlan_ ipvlan_ vrf_ macsec_
mptcp: (__)?mptcp subflow_
ktls: tls_
gso: (__)?skb_(gso_|segment|udp_tunnel_segment|mac_gso) .*_gso_segment$ tcp_gso
gro: (dev|napi|skb|gro)_gro_(?!cell) gro_(?!cell) napi_gro .*_gro_(receive|complete|flush)
backlog: process_backlog$ enqueue_to_backlog (__)?netif_rx (get|set)_rps_cpu rps_
  gro_cell net_rps trigger_rx_softirq flush_backlog
skb_free: skb_defer_free skb_attempt_defer kick_defer __kfree_skb_flush
tx_completion: napi_consume_skb free_old_xmit .*_tx_(int|poll)$ virtnet_poll_tx netif_tx_wake dql_
  .*_clean_tx
skb_alloc: (__|napi_|__napi_)?(alloc|build)_skb (slab|__)build_skb napi_skb_cache_get
  (__)?netdev_alloc (__)?page_pool
virtual_xmit: loopback_xmit veth_xmit netkit_ (__)?(__)?dev_forward_skb skb_scrub tun_net_xmit
  is_skb_forwardable
tap: packet_ tpacket_ __packet prb_ dev_queue_xmit_nit tun_ tap_ vhost_ handle_(rx|tx) fanout_
driver_irq: skb_(recv|xmit)_done
!driver_irq: vring_interrupt
qdisc: net_tx_action$ __dev_queue_xmit sch_direct_xmit (__)?qdisc_ __netif_schedule validate_xmit
  netdev_core_pick netdev_pick netif_skb_features (noop|p?fifo|pfifo_fast|prio|htb|tbf|netem)_
  skb_network_protocol passthru_features
driver_xmit: dev_hard_start_xmit __dev_direct (.*_)?start_xmit$ .*_xmit_frame
neighbour: (__)?neigh_ arp_ ndisc_ eth_header pneigh
core_rx: (__)?netif_receive_skb
socket_filter: sk_filter __cgroup_bpf sk_psock strp_ reuseport_ bpf_skops tcp_filter
forwarding: ip6?_forward ip6?_?mr_ ipmr_
routing: inet6?_(csk_route|lookup_ifaddr) ip6?_route_ (__)?fib inet_addr_type rt6?_(?!spin|mutex)
  ip_rt ipv4_mtu ip6_mtu ip6_pol ip6?_dst l3mdev find_exception ip_mc_validate ip_check_mc
  ipv6_chk_addr __ipv6_(chk|dev_get) ip6_sk_dst ip6?_dst (__)?fl6_
  (__)?ipv6_(addr_label|dev_get_saddr|get_saddr|addr_type) dst_(?!input|output) ipv4_dst ip6_sk_dst
  __dst icmp6?_route
socket_lookup: (__)?inet6?_lookup inet6?_e?hashfn inet6?_lhash (__)?udp[46]_lib_lookup
  udp[46]_lib_lookup2
local_delivery: ip_local_deliver ip_protocol_deliver ip6_input ip6_(protocol_deliver|mc_input)
  icmp(?!_reply|_push|v6_echo|v6_push) __icmp igmp mld_ raw_(local|rcv|v4_input|v4_match|icmp)
  raw6_local rawv6_rcv ping_(rcv|queue|lookup)
ip_rx: ip_(list_)?rcv ip_sublist ip_defrag ip_frag ipv6_(list_)?rcv ip6_(sublist_|list_)?rcv
  ipv6_frag inet_frag (tcp|udp)_v[46]_early_demux
udp_tx: udp[46]_hwcsum
  (__)?ip6?_(make_skb|append_data|send_skb|push_pending|flush_pending|setup_cork|generic_getfrag)
  udp(v6|lite)?_(sendmsg|send|push|cork|flush|cmsg) udp6?_(set_csum|send_skb|hwcsum)
  udp_v6_(push|send)
ip_output: icmp_ icmpv6_ inet6_csk_xmit
  (__)?ip_(queue_xmit|local_out|output|finish_output|send_check|mc_|do_frag|build_and|copy_meta)
  ip_(select_ident|idents|fast_csum|fraglist|frag_next|send_unicast) ip6_(xmit|output|finish_output)
  (__)?ip6_local_out dst_output ip6_(copy|frag|autoflow) __ip_select
tcp_timer: tcp_(write|delack|keepalive|retransmit|probe)_timer tcp_pace_kick tcp_compressed_ack
  tcp_send_probe tcp_send_loss_probe reqsk_timer tw_timer tcp_(delack|write)_timer_handler
tcp_conn: (__)?tcp_(close|done|shutdown|disconnect|abort|set_state|init_sock)
  tcp_v[46]_(connect|pre|init|destroy)
  tcp_(connect|time_wait|twsk|send_fin|accept|destroy|reset$|fastopen) (do_)?tcp_[gs]etsockopt
  tcp_(orphan|cleanup_[cu]|init_sock|init_xmit|assign_cong|write_queue_purge|md5|ao_|free_fastopen)
  tcp[46]_destruct
  (__)?inet6?_(csk_(?!reset|rto|xmit)|twsk|hash|unhash|bhash|bind|put_port|ehash|check_est)
  inet6?_stream_connect inet_child inet_reqsk __inet_inherit secure_ reqsk_ cookie_ tcp6_
  inet_sock_destruct
tcp_tx:
  (__)?tcp_(sendmsg|write_xmit|transmit|push|send|xmit|tsq|tasklet|retransmit|small_queue|pace)
  tcp_(tso|mss|current_mss|mtu|event_new|options_write|established_opt|select_window|rate_skb_sent)
  tcp_wfree
  tcp_(chrono|wmem|sndbuf|skb_can_collapse|fragment|trim|skb_entail|update_skb|rbtree|stream_alloc)
  tcp_(schedule_loss|init_nondata|snd|cwnd|mstamp|make_synack|release_cb|delack_max|sync_mss)
  tcp_(rate_check|downgrade|stream_memory) do_tcp_sendpages __tcp_select tcp_v[46]_send
  sk_stream_wait
socket: (tcp|udp|sock|datagram)_e?poll$ (__)?scm_
  (__)?sk_(dst_check|free|destruct|clone|alloc|prot_alloc) ipv4_pktinfo
tcp_rx: (__)?tcp(?!_diag) cubictcp bbr_
udp_rx: (__)?udp first_packet_length __skb_recv_udp inet_recv_error
!wakeup: unix_write_space __pollwait sock_def_(readable|write|wakeup|error) sk_stream_write_space
  (__)?wake_up ep_poll_callback try_to_wake ttwu autoremove_wake pollwake default_wake receiver_wake
  woken_wake sock_def_wake
unix: unix_ __unix
netlink: (__)?netlink_ rtnl (__)?nla_ (__)?nlmsg genl rtnetlink inet6?_(dump|fill|diag) sock_diag
  if_nlmsg tcp_diag nfnetlink tc_(ctl|dump)
vsock: (__)?vsock_ virtio_transport
driver_poll: __napi_poll$ net_rx_action$ napi_(threaded|busy|complete|poll) (__)?napi_busy
  (veth|virtnet|tun_napi|e1000|igb|ixgbe|i40e|ice|mlx|ena|gve|bnxt|vmxnet)\w*_poll$
  veth_xdp_rcv veth_ virtnet_
!schedule: (__)?schedule preempt_schedule finish_task_switch wait_woken sk_wait_data prepare_to_wait
  add_wait_queue remove_wait_queue finish_wait
socket: (__)?(____)?sys_(send|recv|socket|accept|connect|bind|listen|shut|[gs]etsock)
  __x64_sys_(sendto|sendm) __x64_sys_(recv|socket|accept|connect|bind|listen|shut|[gs]etsock)
  sock_(?![rweo]*free|put|pfree|kmalloc) __sock sockfd __skb_(wait_for_more|try_recv) inet6?_ __inet
  do_accept do_recvmmsg move_addr copy_msghdr security_sock (apparmor|selinux)_sock
  kernel_(send|recv|sock) splice_to_socket io_(send|recv|accept|connect) raw_ rawv6_ ping_ ____?sys_
=helper: (__)?p?skb (__)?sk_ (__)?sock_ (__)?(lock|release)_sock (consume|kfree|__kfree)_skb
  kfree_skb datagram_ __zerocopy simple_copy_to dev_ __dev netdev netif_ ipv6_ ip6_ ip_ put_cmsg
  eth_ net_ siphash napi_skb
""")

# The functions that call netfilter, and the hook that they are.
HOOKS = rules(r"""
nf_prerouting: ip_rcv ip_sublist_rcv ipv6_rcv ip6_sublist_rcv ip_list_rcv br_nf_pre_routing
nf_input: ip_local_deliver ip6_input ip6_mc_input
nf_forward: ip6?_forward br_nf_forward ip6?_?mr_
nf_output: (__)?ip6?_local_out ip6_xmit raw ndisc_send mld_send
nf_postrouting: ip6?_(mc_|finish_)?output br_nf_post_routing
nf_ingress: __netif_receive_skb
nf_egress: __dev_queue_xmit nf_hook_direct
bridge: (__)?br_
neighbour: arp_
""")

# What moves a packet to a step. "!": and starts the path anew.
STEPS = rules(r"""
!backlog/-: process_backlog$ skb_defer_free_flush gro_cell_poll
!driver_poll/-: net_rx_action$ __napi_poll$ napi_threaded (__)?napi_busy
gro/-: gro_(?!cell) napi_gro dev_gro inet_gro
!core_rx/-: (__)?netif_receive_skb
xdp_generic/-: do_xdp_generic netif_receive_generic
bridge/-: (__)?br_
local_delivery/ipv4: ip_local_deliver ip_protocol_deliver raw_local_deliver
local_delivery/ipv6: ip6_input ip6_protocol_deliver ip6_mc_input raw6_local
forwarding/ipv4: ip_forward ip_mr_
forwarding/ipv6: ip6_forward ip6_mr_
!ip_rx/ipv4: ip_sabotage_in
ip_rx/ipv4: ip_(list_|sublist_)?rcv arp_rcv$
ip_rx/ipv6: ipv6_(list_)?rcv ip6_(sublist_|list_)?rcv
""")
OUTPUT = re.compile(r"(__)?ip6?_(output|finish_output2?|mc_output)$")
RECEIVER = re.compile(r"(__)?netif_receive_skb|ip_(list_|sublist_)?rcv|ipv6_(list_)?rcv|"
                      r"ip6_(sublist_|list_)?rcv|br_nf_|ip_sabotage_in")
CLASSIFIER = re.compile(r"(__)?tcf_|tc_run|cls_|bpf_prog_[0-9a-f]{8}")
TIMEKEEPING = re.compile(r"(__)?hrtimer|_raw_spin|ktime|read_tsc|timerqueue|rb_|lapic|clockevents")
DISPATCHER = ("handle_softirqs", "__do_softirq")
NETFILTER = ("+hook", "conntrack", "nat", "flowtable", "ipvs", "observer")


def first(table, name):
    return next((what for what, pattern in table if pattern.match(name)), "")


def owner_of(name, seen={}):
    """Whose code, and whether it proves that the network is at work."""
    if name not in seen:
        what = first(PATTERNS, name)
        seen[name] = what.lstrip("!"), what != "" and what[0] != "!"
    return seen[name]


def cut_at_owner(frames):
    """The frames that the innermost owner runs, its context ("": a task) and vector."""
    for i, name in enumerate(frames):
        if name in DISPATCHER and i and frames[i - 1].startswith("_raw_spin_unlock_irqrestore"):
            return frames[:i], "softirq_timer", "hrtimer"
        context, _, vector = first(OWNERS, name).partition("/")
        if context == "interrupt" and any(f.startswith("preempt_schedule") for f in frames[:i]):
            continue
        if context and not (name == "process_one_work" and "bh_worker" in frames[i + 1:i + 2]):
            return frames[:i + 1], context, vector
    return frames, "", "-"


def is_tracer(frames):
    """Whether the dispatcher's own tracepoints are at work."""
    for name in frames:
        if name in DISPATCHER:
            return name != frames[0]
        if owner_of(name)[0] not in ("observer", "+program"):
            return False
    return True


def who_runs(frames):
    """The owner of a program or classifier, from the frames outside it."""
    for name in frames:
        owner, _ = owner_of(name)
        if owner in ("+program", "+filter") or name.startswith("bpf_"):
            continue
        named = {"core_rx": "tc_ingress", "driver_poll": "xdp_native"}.get(owner, owner)
        return "tc_egress" if name == "__dev_queue_xmit" else named or "observer"
    return "observer"


def component(frames):
    for i, name in enumerate(frames):
        owner, _ = owner_of(name)
        outer = (frames + [""])[i + 1]
        if name == "eth_type_trans" and owner_of(outer)[0] != "virtual_xmit":
            owner = "core_rx"
        if name == "napi_consume_skb" and re.match("skb_defer|net_rx", outer):
            owner = "skb_free"
        if owner in ("+program", "+filter"):
            owner = who_runs(frames[i + 1:])
        if owner == "+hook":
            caller = (f for f in frames[i + 1:] if owner_of(f)[0] not in NETFILTER + ("+program",))
            return first(HOOKS, next(caller, "")) or "other"
        if owner and owner != "=helper":
            return owner
    return "socket" if any(owner_of(f)[1] for f in frames) else "other"


def step(frames):
    now, family, receives, outer = "none", "-", False, ""
    for name in reversed(frames):
        owner, _ = owner_of(name)
        if owner == "observer":
            continue
        found, _, its_family = first(STEPS, name).partition("/")
        if found.startswith("!"):
            now, family = found[1:], its_family
        elif now in ("forwarding", "local_delivery", "none"):
            if now == "none" and found == "xdp_generic":
                now = found
        elif receives and OUTPUT.match(name):
            now, family = "forwarding", "ipv6" if "ip6" in name else "ipv4"
        elif found:
            now, family = found, its_family
        elif receives and name.startswith("nf_hook_slow"):
            now = {"ip_rx": "nf_prerouting", "core_rx": "nf_ingress"}.get(now, now)
        elif now == "nf_prerouting" and owner == "conntrack":
            now = "conntrack"
        elif outer == "core_rx" and now == "core_rx" and CLASSIFIER.match(name):
            now = "tc_ingress"
        receives = bool(RECEIVER.match(name)) or (receives and owner in NETFILTER)
        outer = owner
    return now if family == "-" else now + "/" + family


def label(frames, is_idle):
    """(context, component, step, vector) of frames, leaf first; None: not the network's, context
    None: of no network but of that vector."""
    if is_tracer(frames):
        return "tracers", "observer", "none", "-"
    inside, context, vector = cut_at_owner(frames)
    if context in ("nobody", "interrupt") or (is_idle and not context):
        return None
    if context in ("", "softirq_timer", "io_worker", "kthread"):
        if not any(owner_of(f)[1] for f in inside):
            if vector != "hrtimer" or not all(map(TIMEKEEPING.match, inside)):
                return (None, None, None, vector) if vector != "-" else None
    if not context:
        calls = [first(CALLS, f) for f in inside]
        context = ([c for c in calls if c] or ["syscall_other"])[-1]
    code = component(inside)
    if code == "other" and vector == "hrtimer":
        code = "tcp_timer"
    return context, code, step(inside), vector
