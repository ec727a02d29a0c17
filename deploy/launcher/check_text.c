/* check_text.c - the result of netto check for people, on one screen */
#include "check.h"

#include <inttypes.h>
#include <string.h>

#define INDENT 15       /* of the second column */
#define CELL 40         /* two facts a line */
#define STATE 10        /* of a probe */
#define NAME 26         /* of a fact */
#define TEXT_BYTES 2048

enum colour { PLAIN, BOLD, GOOD, BAD };

struct screen {
	const struct check_style *style;
	FILE *out;
};

static void put_coloured(const struct screen *s, enum colour colour, const char *text)
{
	static const char *const codes[] = { "", "\033[1m", "\033[32m", "\033[33m" };

	if (s->style->colour && colour != PLAIN)
		fprintf(s->out, "%s%s\033[0m", codes[colour], text);
	else
		fputs(text, s->out);
}

/* Words of text, wrapped under column indent, which the cursor is in. */
static void put_words(const struct screen *s, size_t indent, const char *text)
{
	size_t column = indent;

	while (*text) {
		size_t bytes = strcspn(text, " ");
		bool first = column == indent;

		if (!first && s->style->columns && column + 1 + bytes >= s->style->columns) {
			fprintf(s->out, "\n%*s", (int)indent, "");
			column = indent;
			first = true;
		}
		fprintf(s->out, "%s%.*s", first ? "" : " ", (int)bytes, text);
		column += bytes + !first;
		text += bytes;
		text += strspn(text, " ");
	}
	putc('\n', s->out);
}

/* Append to a text, as far as it fits. */
static void append(char *text, size_t bytes, const char *between, const char *more)
{
	size_t used = strlen(text);

	snprintf(text + used, bytes - used, "%s%s", used ? between : "", more);
}

static void put_row(const struct screen *s, const char *name, const char *text)
{
	fprintf(s->out, "%-*s", INDENT, name);
	put_words(s, INDENT, text);
}

static void put_fact(const struct screen *s, size_t position, const char *name, const char *value)
{
	if (position % 2)
		fprintf(s->out, "%-*s %s\n", NAME, name, value);
	else
		fprintf(s->out, "%-*s %-*s ", NAME, name, CELL - NAME - 2, value);
}

static void put_capabilities(const struct screen *s, const struct check_facts *f)
{
	char has[256] = "", lacks[256] = "", text[320];

	for (size_t i = 0; i < FACT_CAPABILITY_COUNT; i++)
		append(f->capabilities[i] ? has : lacks, sizeof(has), " ", capability_names[i] + strlen("CAP_"));
	if (!*has || !*lacks)
		snprintf(text, sizeof(text), "%s that netto uses", *has ? "all" : "none");
	else if (strlen(lacks) < strlen(has))
		snprintf(text, sizeof(text), "all that netto uses but %s", lacks);
	else
		snprintf(text, sizeof(text), "only %s", has);
	put_row(s, "capabilities", text);
}

static void put_facts(const struct screen *s, const struct check_facts *f)
{
	char value[32];

	put_coloured(s, BOLD, "netto check");
	fprintf(s->out, "  %s  Linux %s %s%s  %u CPUs  as %s\n", f->host.nodename,
		f->host.release, f->host.machine, f->preempt_rt ? " PREEMPT_RT" : "",
		f->cpus_online, f->root ? "root" : "unprivileged user");
	put_fact(s, 0, "BTF", f->btf ? "yes" : "no");
	put_fact(s, 1, "clocksource", f->clocksource);
	put_fact(s, 2, "lockdown", f->lockdown);
	put_fact(s, 3, "hardware cycles (PMU)", answer_names[f->pmu]);
	for (size_t i = 0; i < SYSCTL_COUNT; i++) {
		snprintf(value, sizeof(value), "%" PRId64, f->sysctls[i].value);
		put_fact(s, i, sysctl_names[i], f->sysctls[i].known ? value : "unknown");
	}
	put_fact(s, SYSCTL_COUNT, "IRQ time accounting", answer_names[f->irq_time]);
	put_capabilities(s, f);
}

/* Functions of one probe with the same outcome are one row. */
struct row {
	const struct report_probe *probe;       /* the first of them */
	char functions[TEXT_BYTES];
};

/* Fill the row that begins at position i; position behind it. */
static size_t take_row(const struct check_report *r, size_t i, struct row *row)
{
	const struct report_probe *first = &r->probes[i];

	*row = (struct row){ .probe = first };
	for (; i < r->probe_count; i++) {
		const struct report_probe *probe = &r->probes[i];

		if (probe->state != first->state || strcmp(probe->name, first->name) != 0 ||
		    strcmp(probe->reason, first->reason) != 0)
			break;
		append(row->functions, sizeof(row->functions), ", ", probe->function);
	}
	return i;
}

static void put_state(const struct screen *s, enum colour colour, const char *name,
		      const char *state, const char *text)
{
	char field[STATE + 1];

	snprintf(field, sizeof(field), "%-*s", STATE, state);
	fprintf(s->out, "%-*s", INDENT, name);
	put_coloured(s, colour, field);
	put_words(s, INDENT + STATE, text);
}

static void put_probe(const struct screen *s, struct row *row, bool with_reason)
{
	const struct report_probe *probe = row->probe;

	if (with_reason && *probe->reason)
		append(row->functions, sizeof(row->functions), ": ", probe->reason);
	put_state(s, probe->state == PROBE_ATTACHED ? GOOD : BAD, probe->name,
		  probe_state_names[probe->state], row->functions);
}

/* Rows from the first-th on that follow each other with one reason: it stands
 * in each of them if there is room, else once, below. Position behind them. */
static size_t put_rows(const struct screen *s, const struct check_report *r, size_t first)
{
	const char *reason = r->probes[first].reason;
	const size_t columns = s->style->columns;
	bool room = true;
	struct row row;
	size_t i = first, end;

	while (i < r->probe_count && !strcmp(r->probes[i].reason, reason)) {
		i = take_row(r, i, &row);
		room &= !columns || INDENT + STATE + strlen(row.functions) + strlen(reason) + 3 < columns;
	}
	end = i;
	for (i = first; i < end;) {
		i = take_row(r, i, &row);
		put_probe(s, &row, room);
	}
	if (!room && *reason)
		put_state(s, PLAIN, "", "why", reason);
	return end;
}

static void put_probes(const struct screen *s, const struct check_report *r)
{
	char head[64];

	if (!r->probe_count)
		return;
	snprintf(head, sizeof(head), "%-*s%-*sfunction\n", INDENT, "probe", STATE, "state");
	put_coloured(s, BOLD, head);
	for (size_t i = 0; i < r->probe_count;)
		i = put_rows(s, r, i);
}

static void put_contexts(const struct screen *s, const enum source sources[static CONTEXT_COUNT])
{
	static const char *const titles[] = { "exact", "sampled", "not measured", "not known" };

	_Static_assert(sizeof(titles) / sizeof(titles[0]) == SOURCE_COUNT, "a title a source");
	for (size_t source = 0; source < SOURCE_COUNT; source++) {
		char text[TEXT_BYTES] = "";

		for (size_t i = 0; i < CONTEXT_COUNT; i++)
			if (sources[i] == source)
				append(text, sizeof(text), " ", context_names[i]);
		if (*text)
			put_row(s, titles[source], text);
	}
}

static void put_costs(const struct screen *s)
{
	char text[TEXT_BYTES] = "";

	for (size_t i = 0; i < check_cost_count; i++) {
		append(text, sizeof(text), ", ", check_costs[i].part);
		append(text, sizeof(text), " ", check_costs[i].text);
	}
	append(text, sizeof(text), " (", check_costs_where);
	append(text, sizeof(text), "", ")");
	put_row(s, "cost", text);
}

void check_print_text(const struct check *check, const struct check_style *style, FILE *out)
{
	const struct screen s = { .style = style, .out = out };

	put_facts(&s, &check->facts);
	put_probes(&s, &check->report);
	put_contexts(&s, check->sources);
	put_costs(&s);
	for (size_t i = 0; i < check->note_count; i++)
		put_row(&s, "note", check->notes[i]);
	put_coloured(&s, check->status ? BAD : GOOD, check->message);
	putc('\n', out);
}
