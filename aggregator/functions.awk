# functions.awk - functions.tsv into functions_table.c
#
# Says what is wrong with a row, by line number, and ends with 1. Names of
# contexts, components and the like become enum constants of labels.h: one that
# does not exist does not compile.

function fail(text)
{
	printf "functions.tsv:%d: %s\n", FNR, text > "/dev/stderr"
	failed = 1
	exit 1
}

BEGIN {
	FS = "\t"
	# Kind: the field of struct meaning that it fills, how, and whether it
	# proves network work. One of a function's rows at most says what it is.
	value["context"] = ".boundary = 1 + CONTEXT_%s"
	value["boundary"] = ".boundary = BOUNDARY_%s"
	value["call"] = ".call = 1 + CONTEXT_%s"
	value["component"] = ".component = 1 + COMPONENT_%s"
	value["shared"] = ".component = 1 + COMPONENT_%s"
	value["named"] = ".named = NAMED_BY_%s"
	value["hook"] = ".hook = 1 + COMPONENT_%s"
	value["filter"] = ".filter = 1 + COMPONENT_%s"
	value["runner"] = ".runner = 1 + COMPONENT_%s"
	value["caller"] = ".caller = 1 + COMPONENT_%s"
	value["callee"] = ".named = NAMED_BY_CALLER, .component = 1 + COMPONENT_%s"
	value["erased"] = ".erased = 1 + COMPONENT_%s"
	value["step"] = ".step = STEP_%s"
	value["family"] = ".family = FAMILY_%s"
	value["work"] = ".work = WORK_%s"
	value["path"] = ".path = PATH_%s"
	value["irq"] = ".irq = IRQ_%s"
	value["helper"] = ""
	kinds = split("context boundary call component shared named hook filter runner caller " \
		"callee erased step family work path irq helper", kind_list, " ")
	identity["component"] = identity["shared"] = identity["named"] = 1
	identity["callee"] = identity["helper"] = 1
	network["component"] = network["callee"] = network["call"] = 1
	for (i = 1; i < 128; i++)
		code[sprintf("%c", i)] = i
	split("memory copy skb lock rcu interrupt schedule time rbtree bits string file security " \
		"bpf virtio driver entry", list, " ")
	for (i in list)
		category[list[i]] = 1
}

/^#/ || /^$/ { next }

{
	if (NF != 5)
		fail("five columns wanted, " NF " seen")
	kind = $1; name = $2; symbol = $3
	if (kind == "irq_name") {
		irq_names[++irq_name_count] = symbol
		next
	}
	if (!(kind in value))
		fail("unknown kind " kind)
	if (kind == "helper" && !(name in category))
		fail("unknown kind of helper " name)
	if (!($4 ~ /^(all|[0-9]+\.[0-9]+-|-[0-9]+\.[0-9]+|[0-9]+\.[0-9]+-[0-9]+\.[0-9]+)$/))
		fail("kernels " $4 ": wanted all, FROM-, -TO or FROM-TO")
	if ($5 == "")
		fail("no source given")
	if (symbol !~ /^[A-Za-z0-9_]*\*?(\[[a-z0-9_]+\])?$/)
		fail("not a symbol: " symbol)
	if ((symbol, kind) in row)
		fail(symbol " twice as " kind)
	row[symbol, kind] = name
	if (kind in identity) {
		if (symbol in is_a)
			fail(symbol " is both " is_a[symbol] " and " kind)
		is_a[symbol] = kind
	}
	if (!(symbol in seen)) {
		seen[symbol] = 1
		symbols[++count] = symbol
	}
}

# Text of a symbol without its asterisk and module.
function text_of(symbol)
{
	sub(/\[.*$/, "", symbol)
	sub(/\*$/, "", symbol)
	return symbol
}

function is_prefix(symbol)
{
	return symbol ~ /\*(\[.*)?$/
}

# The longest prefix row of symbol that is not itself; "": none.
function parent_of(symbol,    text, length_left)
{
	text = text_of(symbol)
	length_left = length(text)
	if (is_prefix(symbol))
		length_left--
	for (; length_left > 0; length_left--)
		if ((substr(text, 1, length_left) "*") in seen)
			return substr(text, 1, length_left) "*"
	return ""
}

# A function has its own rows and, of the kinds it has none of, those of the
# longest prefix that has one.
function meaning_of(symbol,    at, i, kind, has, own, text)
{
	text = ""
	for (at = symbol; at != ""; at = symbol ~ /\[/ ? "" : parent_of(at)) {
		own = (at in is_a)
		for (i = 1; i <= kinds; i++) {
			kind = kind_list[i]
			if (!((at, kind) in row) || (kind in has))
				continue
			if ((kind in identity) && ("identity" in has))
				continue
			has[kind] = row[at, kind]
		}
		if (own)
			has["identity"] = 1
	}
	for (i = 1; i <= kinds; i++) {
		kind = kind_list[i]
		if (!(kind in has) || value[kind] == "")
			continue
		text = text sprintf(value[kind] ", ", toupper(has[kind]))
		if ((kind in network) || kind == "named" && has[kind] ~ /^(hook|filter)$/)
			proof[symbol] = 1
	}
	if (symbol in proof)
		text = text ".network = true, "
	return text == "" ? ".network = false, " : text
}

function id_of(symbol,    meaning)
{
	meaning = meaning_of(symbol)
	if (!(meaning in ids)) {
		ids[meaning] = ++id_count
		meanings[id_count] = meaning
	}
	return ids[meaning]
}

# Order of rows: by text, a prefix first; module rows by module, the longest first.
function key_of(symbol,    module)
{
	module = ""
	if (match(symbol, /\[.*\]/))
		module = substr(symbol, RSTART + 1, RLENGTH - 2)
	if (module != "")
		return module " " sprintf("%03d", 999 - length(text_of(symbol))) symbol
	return text_of(symbol) (is_prefix(symbol) ? "" : " ")
}

# The first four bytes as a number.
function number_of(text,    i, number)
{
	for (i = 1; i <= 4; i++)
		number = number * 256 + code[substr(text, i, 1)]
	return number
}

function sort(list, count,    gap, i, j, moved)
{
	for (gap = int(count / 2); gap > 0; gap = int(gap / 2))
		for (i = gap + 1; i <= count; i++) {
			moved = list[i]
			for (j = i; j > gap && key[list[j - gap]] > key[moved]; j -= gap)
				list[j] = list[j - gap]
			list[j] = moved
		}
}

END {
	if (failed)
		exit 1
	for (i = 1; i <= count; i++) {
		key[symbols[i]] = key_of(symbols[i])
		if (symbols[i] ~ /\[/)
			module_rows[++module_count] = symbols[i]
		else
			rows[++row_count] = symbols[i]
	}
	sort(rows, row_count)
	sort(module_rows, module_count)
	for (i = 1; i <= row_count; i++)
		position[rows[i]] = i

	print "/* made from functions.tsv by functions.awk */"
	print "#include \"functions.h\"\n"
	print "const struct function_row functions_rows[] = {"
	for (i = 1; i <= row_count; i++)
		printf "\t{ %.0fu, \"%s\", %d, %d, %d, %d },\n", number_of(text_of(rows[i])),
			text_of(rows[i]), length(text_of(rows[i])), is_prefix(rows[i]),
			id_of(rows[i]), position[parent_of(rows[i])]
	print "};\nconst size_t functions_row_count = " row_count + 0 ";\n"

	print "const struct function_module_row functions_module_rows[] = {"
	for (i = 1; i <= module_count; i++) {
		module = module_rows[i]
		sub(/^.*\[/, "", module)
		sub(/\]$/, "", module)
		printf "\t{ \"%s\", \"%s\", %d, %d, %d },\n", module, text_of(module_rows[i]),
			length(text_of(module_rows[i])), is_prefix(module_rows[i]),
			id_of(module_rows[i])
	}
	print "};\nconst size_t functions_module_row_count = " module_count + 0 ";\n"

	print "const struct meaning functions_meanings[] = {\n\t{ .network = false },"
	for (i = 1; i <= id_count; i++)
		print "\t{ " meanings[i] "},"
	print "};\nconst size_t functions_meaning_count = " id_count + 1 ";\n"

	print "const char *const functions_irq_names[] = {"
	for (i = 1; i <= irq_name_count; i++)
		printf "\t\"%s\",\n", irq_names[i]
	print "};\nconst size_t functions_irq_name_count = " irq_name_count + 0 ";"
}
