#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Draw cost against size from JSON lines: rules.svg and prefixes.svg.
#   bench/plot.sh JSON-FILE DIRECTORY
set -eu
json=$1 out=$2
for tool in gnuplot jq; do
	command -v "$tool" >/dev/null || {
		echo "bench: $tool is missing: scripts/deps.sh bench" >&2
		exit 1
	}
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# GROUP KEY: one line per size: rules, median over the families, the lowest, the highest.
series() {
	jq -rs --arg group "$1" '
		[.[] | select(.bench == "packet" and .group == $group and .over_ns != null)]
		| group_by(.rules)[] | (map(.over_ns) | sort) as $v
		| [.[0].rules, ($v[(($v | length) - 1) / 2 | floor]), $v[0], $v[-1]] | @tsv' "$json"
}
for group in hot uniform zipf flood list_miss list_hit lpm_miss lpm_hit; do
	series $group >"$dir/$group"
done
machine=$(jq -r 'select(.bench == "machine") | "\(.cpu), Linux \(.kernel), commit \(.commit)"' "$json" | head -n 1)

common="set terminal svg size 760,440 font 'sans-serif,13' background rgb 'white'
set logscale x; set grid ytics lc rgb '#dddddd'; set key top left reverse Left; set border 3; set tics nomirror
set format x '%.0s%c'; set ylabel 'ns over parsing the same packets'
set bars small"
# Points that are not there (an engine's limit) leave their line short.
rules=""
for s in 'uniform:each rule as often as any other:#c0392b' 'zipf:rules by Zipf:#d68910' 'flood:random sources:#2471a3' 'hot:one packet:#1e8449'; do
	IFS=: read -r file title colour <<<"$s"
	[ -s "$dir/$file" ] || continue
	rules="$rules${rules:+, }'$dir/$file' using 1:2:3:4 with yerrorbars pt 0 lw 1 lc rgb '$colour' notitle"
	rules="$rules, '$dir/$file' using 1:2 with linespoints pt 7 ps 0.6 lw 2 lc rgb '$colour' title '$title'"
done
[ -z "$rules" ] || gnuplot <<-END
	$common
	set output '$out/rules.svg'
	set title "Cost of a packet against the number of rules (XDP; bars: families of rule sets)\n{/*0.8 $machine}"
	set xlabel 'rules'; set yrange [0:*]
	plot $rules
END
prefixes=""
for s in "lpm_hit:kernel's LPM trie, sources inside:#7f8c8d" "lpm_miss:kernel's LPM trie, sources outside:#b2babb" 'list_hit:fwctl, sources inside:#c0392b' 'list_miss:fwctl, sources outside:#2471a3'; do
	IFS=: read -r file title colour <<<"$s"
	[ -s "$dir/$file" ] || continue
	prefixes="$prefixes${prefixes:+, }'$dir/$file' using 1:2 with linespoints pt 7 ps 0.6 lw 2 lc rgb '$colour' title \"$title\""
done
[ -z "$prefixes" ] || gnuplot <<-END
	$common
	set output '$out/prefixes.svg'
	set title "Cost of a packet against the number of prefixes in a set (XDP)\n{/*0.8 $machine}"
	set xlabel 'prefixes'; set logscale y; set yrange [1:*]
	set ylabel 'ns over parsing; trie: over nothing'
	plot $prefixes
END
for plot in rules prefixes; do
	[ ! -e "$out/$plot.svg" ] || echo "plot: $out/$plot.svg"
done
