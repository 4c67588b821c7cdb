#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tree keeps its own rules, and the checkers see when it does not.
set -u
cd "$(dirname "$0")/../.." || exit 1
n=0 failed=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
ok() { # STATUS SENTENCE
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
}
# One file below $dir must be refused, with a word that says why.
refused() { # SENTENCE PATH WORD; the text is stdin
	rm -rf "${dir:?}"/*
	mkdir -p "$dir/$(dirname "$2")"
	cat >"$dir/$2"
	local out
	if out=$(scripts/check-style.sh "$dir" 2>&1); then
		ok 1 "$1"
	else
		grep -q "$3" <<<"$out"
		ok $? "$1"
	fi
}

scripts/check-style.sh 2>&1
ok $? "the tree is in style"
scripts/check-layers.sh 2>&1
ok $? "no include points upward"

printf '// SPDX-License-Identifier: GPL-2.0-only\nint a;\n' >"$dir/a.c"
scripts/check-style.sh "$dir"
ok $? "a clean file is accepted"
refused "a source file without an SPDX line is refused" a.c SPDX < <(printf 'int a;\n')
refused "a script without an SPDX line is refused" a.sh SPDX < <(printf '#!/bin/sh\necho\n')
refused "white space at the end is refused" a.c 'a.c:2: ends' < <(printf '// SPDX-License-Identifier: GPL-2.0-only\nint a; \n')
refused "indentation with spaces is refused" a.c 'a.c:4: indented' < <(printf '// SPDX-License-Identifier: GPL-2.0-only\nint a(void)\n{\n        return 1;\n}\n')
refused "a line over 140 columns is refused" x/a.c 'x/a.c:2: longer' < <(printf '// SPDX-License-Identifier: GPL-2.0-only\n%0150d\n' 1)
refused "a struct typedef is refused" a.h typedef < <(printf '/* SPDX-License-Identifier: GPL-2.0-only */\ntypedef struct a b;\n')
refused "a last line without an end is refused" a.c 'no end' < <(printf '// SPDX-License-Identifier: GPL-2.0-only\nint a;')

# The layers' checker, on a copy with one include that points upward.
rm -rf "${dir:?}"/*
mkdir -p "$dir/scripts" "$dir/userspace/base" "$dir/xdp/include/fw" "$dir/xdp/core"
cp scripts/check-layers.sh "$dir/scripts/"
cp userspace/base/*.h "$dir/userspace/base/"
"$dir/scripts/check-layers.sh" >/dev/null 2>&1
clean=$?
echo '#include "kern/kern.h"' >>"$dir/userspace/base/str.h"
"$dir/scripts/check-layers.sh" >/dev/null 2>&1
seen=$?
[ $seen -ne 0 ] && [ $clean -eq 0 ]
ok $? "an include that points upward is seen"
echo "1..$n"
exit $failed
