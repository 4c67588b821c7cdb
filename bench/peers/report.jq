# SPDX-License-Identifier: GPL-2.0-only
# The lines of one run (an array) as tables, as data for plots, and what fwctl must show. Used by bench/peers/report.

def commas: split(".") as $p | ($p[0] | [while(length > 0; .[:-3]) | .[-3:]] | reverse | join(",")) + (if $p[1] then "." + $p[1] else "" end);
def fixed(digits): if . == null then "–" else
	. as $x | (if digits == 0 then 1 elif digits == 1 then 10 else 100 end) as $f | (($x * $f | round) / $f | tostring) as $t
	| if digits == 0 then $t else ($t | if test("\\.") then . else . + "." + ("0" * digits) end
		| . + ("0" * (digits - (split(".")[1] | length)) // "")) end
	| if startswith("-") then "-" + (.[1:] | commas) else commas end end;
def figure: if . == null then "–" elif (. | fabs) < 10 then fixed(1) elif (. | fabs) < 1000 then fixed(0) else fixed(0) end;

def machine: map(select(.bench == "machine"))[0] // {};
# What has no figure comes last.
def rows(t): map(select(.bench == "peers" and .table == t)) | sort_by(.absent != null);
def row(t; id): map(select(.table == t and .id == id))[0];
def spread(a; b): if a == null then "" else "\(a | figure) … \(b | figure)" end;

# One table: title, head, rows of cells.
def packets(t; title; base):
	rows(t) as $r | if $r == [] then empty else {
		title: title,
		head: ["", "ns over \(base)", "spread", "ns in all", "Mpps"],
		rows: [$r[] | if .absent then [.text, "–", "", "", ""] else
			[.text, (if .over then .over_ns | figure else "" end), (if .over then spread(.over_min; .over_max) else spread(.min; .max) end),
			(.ns | figure), (.mpps | fixed(2))] end]
	} end;
def programs:
	rows("packet") as $r | if $r == [] then empty else {
		title: "XDP programs alone, one packet again and again (BPF_PROG_TEST_RUN)",
		head: ["", "ns over empty", "ns in all", "spread"],
		rows: [$r[] | if .absent then [.text, "–", "", ""] else
			[.text, (if .over then .over_ns | fixed(1) else "" end), (.ns | fixed(1)), spread(.min; .max)] end]
	} end;
def cell_ms: if . == null then "–" elif . < 10 then fixed(1) else fixed(0) end;
def cell: if . == null then "" elif .absent then "–" else .ms | cell_ms end;
def control(op; title):
	(rows("control") | map(select(.op == op))) as $r | if $r == [] then empty else
	([$r[].size] | unique) as $sizes | {
		title: title,
		head: (["ms"] + [$sizes[] | tostring | commas]),
		rows: [([$r[].text] | reduce .[] as $t ([]; if index([$t]) then . else . + [$t] end))[] as $t
			| [$t] + [$sizes[] as $s | [$r[] | select(.text == $t and .size == $s)][0] | cell]]
	} end;
def tables: [
	packets("drop"; "End to end over veth, one flow, every frame dropped"; "a bare XDP drop"),
	packets("pass"; "End to end over veth, one flow that passes"; "no firewall"),
	packets("sources"; "End to end over veth, 65,536 sources out of the set, every frame dropped"; "a bare XDP drop"),
	packets("live"; "End to end over veth, live sets and sets with timeouts, every frame dropped"; "a bare XDP drop"),
	packets("state"; "End to end over veth, flows and limits, every frame passes"; "no firewall"),
	packets("rules"; "Generated five-tuple rules, 65,536 packets aimed at them that are dropped"; "a bare XDP drop"),
	programs,
	control("load"; "Load N rules or elements from a file: the whole command"),
	control("change"; "Change one of N rules or elements: the whole command")
];
# Why there is no figure, each reason of a tool once.
def notes:
	[.[] | select(.absent)] | group_by([.tool, .absent])[]
	| "no figure for \(if length > 3 then .[0].tool else map("\(.text)\(if .op then " (\(.op), \(.size | tostring | commas))" else "" end)") | unique | join("; ") end): \(.[0].absent)";

# What fwctl must show: line, figure, state.
def ratio(a; b): if a == null or b == null or a <= 0 then null else b / a end;
def times: if . == null then "no figure" else fixed(1) + " ×" end;
def state(ok): if ok == null then "no figure" elif ok then "met" else "missed" end;
def over(t; id): row(t; id).over_ns;
# The smallest ratio of a tool to fwctl over the three families.
def worst(tool; n): . as $all | [("acl", "fw", "ipc") as $s | ratio($all | over("rules"; "fwctl-\($s).\(n)"); $all | over("rules"; "\(tool)-\($s).\(n)"))]
	| if any(.[]; . == null) then null else min end;
def atleast(figure; want): if figure == null then null else figure >= want end;
def all_of(list): if any(list[]; . == false) then false elif any(list[]; . == null) then null else true end;
def ms(id): row("control"; id).ms;
def quick: machine.quick;
def goal(line; figures; ok): {line: line, figures: figures, state: (if quick then "not judged" else state(ok) end)};
def goals: . as $all
	| over("packet"; "fwctl-10000") as $f
	| over("packet"; "xdp-filter-all-hit") as $xall | over("packet"; "xdp-filter-ip-miss") as $xip | over("packet"; "bpfilter-1") as $b
	| worst("bpfilter"; 1000) as $rb | worst("iptables-legacy"; 1000) as $ri | worst("nft"; 1000) as $rn | worst("iptables-legacy"; 10000) as $ri10
	| (row("drop"; "xdp-drop").mpps) as $bare
	| ([row("drop"; "fwctl-set-100000").mpps, row("drop"; "fwctl-set-1000000").mpps] | if any(.[]; . == null) then null else min end) as $set
	| ([rows("drop")[] | select(.tool != "fwctl" and .tool != "kernel" and (.text | test("set of|ipset|map of"))) | .mpps // empty] | max) as $peer
	| ratio(ms("load-fwctl-rules-10000"); ms("load-nft-rules-10000")) as $lr | ratio(ms("change-fwctl-rules-10000"); ms("load-nft-rules-10000")) as $lra
	| ratio(ms("load-fwctl-set-1000000"); ms("load-ipset-set-1000000")) as $ls | ratio(ms("change-fwctl-set-1000000"); ms("load-ipset-set-1000000")) as $lsa
	| [
		goal("10,000 rules: faster than bpfilter with one rule and than xdp-filter with all features";
			"fwctl \($f | fixed(1)) ns, xdp-filter \($xall | fixed(1)) ns, bpfilter \(if $b then "\($b | fixed(1)) ns" else "absent" end)";
			if $f == null or $xall == null then null else $f < $xall and ($b == null or $f < $b) end),
		goal("the same, than xdp-filter's bare address look-up (a moonshot)"; "fwctl \($f | fixed(1)) ns, xdp-filter \($xip | fixed(1)) ns";
			if $f == null or $xip == null then null else $f < $xip end),
		goal("1,000 generated rules: ≥ 6 × bpfilter"; ($rb | times); atleast($rb; 6)),
		goal("1,000 generated rules: ≥ 20 × iptables"; ($ri | times); atleast($ri; 20)),
		goal("1,000 generated rules: ≥ 40 × nft"; ($rn | times); atleast($rn; 40)),
		goal("10,000 generated rules: ≥ 150 × iptables"; ($ri10 | times); atleast($ri10; 150)),
		goal("a static set of 100,000 and of 1,000,000 over veth: above every set here";
			"fwctl \($set | fixed(2)) Mpps, the best other \($peer | fixed(2)) Mpps"; if $set == null or $peer == null then null else $set > $peer end),
		goal("the same: at least 5.3 of 6.9 of the bare drop (77 %)";
			(if $set == null or $bare == null then "no figure" else "\($set / $bare * 100 | fixed(0)) % of \($bare | fixed(2)) Mpps" end);
			if $set == null or $bare == null then null else $set / $bare >= 5.3 / 6.9 end),
		goal("10,000 rules onto a guarded interface (apply) ≥ 3 × faster than nft -f"; ($lra | times); atleast($lra; 3)),
		goal("the same with verifying and attaching the programs (load)"; ($lr | times); atleast($lr; 3)),
		goal("a set of 1,000,000 (load) ≥ 2.5 × faster than ipset restore"; "\($ls | times); apply \($lsa | times)"; atleast($ls; 2.5)),
		goal("one element added to a live set of 1,000,000, no slower than by ipset";
			"fwctl \(ms("change-fwctl-live-set-1000000") | cell_ms) ms, ipset \(ms("change-ipset-set-1000000") | cell_ms) ms";
			if ms("change-fwctl-live-set-1000000") == null or ms("change-ipset-set-1000000") == null then null
			else ms("change-fwctl-live-set-1000000") <= ms("change-ipset-set-1000000") end),
		goal("a live set of 1,000,000 filled no slower than by ipset";
			"fwctl \(ms("load-fwctl-live-set-1000000") | cell_ms) ms, ipset \(ms("load-ipset-set-1000000") | cell_ms) ms";
			if ms("load-fwctl-live-set-1000000") == null or ms("load-ipset-set-1000000") == null then null
			else ms("load-fwctl-live-set-1000000") <= ms("load-ipset-set-1000000") end),
		(["established", "nft conntrack"], ["limit", "nft"], ["limit-src", "nft"]) as $w
		| over("state"; "fwctl-\($w[0])") as $a | over("state"; "nft-\($w[0])") as $n
		| goal("\($w[0] | sub("-"; " per ")): cheaper than \($w[1])"; "fwctl \($a | figure) ns, nft \($n | figure) ns"; if $a == null or $n == null then null else $a < $n end)
	];

def heading: machine | "kernel \(.kernel), \(.cpu), \(.cpus) CPUs, JIT \(.jit), load \(.load) at the start; commit \(.commit), seed \(.seed), \(.rounds) rounds, \(.date)";
def warning: if quick then "A quick run on small sizes: it shows that everything works; its figures are worth nothing." else empty end;

# Cells padded to columns, the first to the left.
def aligned: . as $rows | [range(0; $rows[0] | length) as $c | [$rows[][$c] | length] | max] as $w
	| $rows[] | [range(0; length) as $c | (" " * ($w[$c] - (.[$c] | length)) // "") as $pad | if $c == 0 then .[$c] + $pad else $pad + .[$c] end] | "  " + join("   ");
def terminal: heading, (machine.versions), warning,
	(tables[] | "", .title, ([.head] + .rows | aligned)),
	"", notes,
	"", "What fwctl must show", ([goals[] | [.line, .figures, .state]] | aligned);

def bar: "| " + join(" | ") + " |";
def markdown: "# fwctl beside other firewalls", "", "Printed by `make bench-peers`: \(heading). \(machine.versions).", (warning | "", .),
	(tables[] | "", "## \(.title)", "", (.head | bar), (.head | map("---") | bar), (.rows[] | bar)),
	"", (notes | "- " + .),
	"", "## What fwctl must show", "", "| | | |", "|---|---|---|", (goals[] | [.line, .figures, .state] | bar);

# Cost against size: a block of lines per tool, with its name, for gnuplot.
def series(name; list): (list | map(select(.y != null)) | sort_by(.x)) as $l | if $l == [] then empty else "\"\(name)\"", ($l[] | "\(.x) \(.y)"), "", "" end;
def plot(name): . as $all
	| if name == "rules" then
		(["fwctl", "nft", "iptables-legacy", "bpfilter"][] as $t | series($t; [rows("drop")[] | select(.tool == $t and (.text | test("rules?$")) and (.text | test("TC|netdev") | not)) | {x: .n, y: .over_ns}]))
	elif name == "sets" then
		(["fwctl", "nft", "ipset", "bpfilter"][] as $t | series($t; [rows("sources")[] | select(.tool == $t) | {x: .n, y: .over_ns}]))
	else
		(["fwctl", "nft", "ipset", "iptables-legacy", "bpfilter"][] as $t | ("rules", "set") as $w
			| series("\($t), \($w)"; [rows("control")[] | select(.tool == $t and .what == $w and .op == "load") | {x: .n, y: .ms}]))
	end;
