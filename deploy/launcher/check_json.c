/* check_json.c - the result of netto check for programs */
#include "check.h"

#include "json.h"

#define SCHEMA_VERSION 1

static void put_facts(struct json *json, const struct check_facts *f)
{
	json_open_object(json, "kernel");
	json_string(json, "release", f->host.release);
	json_string(json, "machine", f->host.machine);
	json_u64(json, "cpus_online", f->cpus_online);
	json_bool(json, "preempt_rt", f->preempt_rt);
	json_bool(json, "btf", f->btf);
	json_string(json, "lockdown", f->lockdown);
	json_string(json, "clocksource", f->clocksource);
	json_string(json, "pmu", answer_names[f->pmu]);
	json_string(json, "irq_time_accounting", answer_names[f->irq_time]);
	for (size_t i = 0; i < SYSCTL_COUNT; i++) {
		if (f->sysctls[i].known)
			json_i64(json, sysctl_names[i], f->sysctls[i].value);
		else
			json_null(json, sysctl_names[i]);
	}
	json_close_object(json);
	json_open_object(json, "capabilities");
	for (size_t i = 0; i < FACT_CAPABILITY_COUNT; i++)
		json_bool(json, capability_names[i], f->capabilities[i]);
	json_close_object(json);
}

static void put_report(struct json *json, const struct check_report *r)
{
	json_open_array(json, "probes");
	for (size_t i = 0; i < r->probe_count; i++) {
		json_open_object(json, NULL);
		json_string(json, "name", r->probes[i].name);
		json_string(json, "function", r->probes[i].function);
		json_string(json, "state", probe_state_names[r->probes[i].state]);
		json_string(json, "reason", r->probes[i].reason);
		json_close_object(json);
	}
	json_close_array(json);
	json_string(json, "kernel_addresses", addresses_names[r->addresses]);
	if (r->interval_ns)
		json_u64(json, "softirq_probes_ns", r->interval_ns);
	else
		json_null(json, "softirq_probes_ns");
}

static void put_conclusions(struct json *json, const struct check *c)
{
	json_open_object(json, "contexts");
	for (size_t i = 0; i < CONTEXT_COUNT; i++) {
		json_open_object(json, context_names[i]);
		json_string(json, "source", source_names[c->sources[i]]);
		json_close_object(json);
	}
	json_close_object(json);
	json_open_array(json, "costs");
	for (size_t i = 0; i < check_cost_count; i++) {
		json_open_object(json, NULL);
		json_string(json, "part", check_costs[i].part);
		json_string(json, "cost", check_costs[i].text);
		json_string(json, "measured_on", check_costs_where);
		json_close_object(json);
	}
	json_close_array(json);
	json_open_array(json, "notes");
	for (size_t i = 0; i < c->note_count; i++)
		json_string(json, NULL, c->notes[i]);
	json_close_array(json);
	json_open_object(json, "result");
	json_bool(json, "can_run", !c->status);
	json_u64(json, "exit_status", (uint64_t)c->status);
	json_string(json, "message", c->message);
	json_close_object(json);
}

int check_print_json(const struct check *check, FILE *out)
{
	struct json json = { 0 };
	int err;

	json_open_object(&json, NULL);
	json_u64(&json, "schema_version", SCHEMA_VERSION);
	json_string(&json, "version", NETTO_VERSION);
	json_string(&json, "host", check->facts.host.nodename);
	put_facts(&json, &check->facts);
	put_report(&json, &check->report);
	put_conclusions(&json, check);
	json_close_object(&json);
	json_raw(&json, "\n");
	err = json.err;
	if (!err)
		fwrite(json.text, 1, json.bytes, out);
	json_free(&json);
	return err;
}
