#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a packager and a newcomer meet: install below DESTDIR, run from there with nothing else, uninstall; a fresh
# clone builds.
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
# A man page without its overstriking.
plain() { sed 's/.\x08//g'; }
skip() { # SENTENCE REASON
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

root=$dir/root
share=$root/opt/fwctl/share
make -s install DESTDIR="$root" PREFIX=/opt/fwctl
ok $? "make install works below DESTDIR"
bin=$root/opt/fwctl/sbin/fwctl
[ -x "$bin" ]
ok $? "the binary is installed"
file "$bin" | grep -Eq 'statically linked|static-pie linked'
ok $? "the binary is static"
(cd "$dir" && env -i "$bin" version) | grep -Eq '^fwctl [0-9]+\.[0-9]+'
ok $? "the binary runs with no environment and says its version"
mandoc -T lint -W error "$share/man/man8/fwctl.8" && mandoc -T utf8 "$share/man/man8/fwctl.8" | plain | grep -q '^NAME'
ok $? "the man page is one"
mandoc -T utf8 "$share/man/man8/fwctl.8" | plain >"$dir/man.txt"
missing=0
for verb in check lint diff replay explain load apply unload status show stats top log tap metrics exposure set ban unban bans feed flows version; do
	grep -qw "$verb" "$dir/man.txt" || missing=1
done
ok $missing "the man page knows every command"
bash -uc "source '$share/bash-completion/completions/fwctl' && complete -p fwctl" >/dev/null
ok $? "the completion loads in bash"
bad=0 files=0
for f in "$share"/fwctl/rules/*.fw; do
	[ -e "$f" ] || continue
	files=$((files + 1))
	"$bin" check "$f" >/dev/null || bad=1
done
[ $bad -eq 0 ] && [ $files -ge 5 ]
ok $? "the installed rule files pass their own tests"
make -s uninstall DESTDIR="$root" PREFIX=/opt/fwctl && [ -z "$(find "$root" -type f)" ]
ok $? "make uninstall leaves no file"

# The clone may belong to another user than root.
export GIT_CONFIG_GLOBAL=$dir/gitconfig
git config --global safe.directory '*'
if git rev-parse HEAD >/dev/null 2>&1; then
	git clone -q . "$dir/clone" && make -s -C "$dir/clone" >"$dir/build.log" 2>&1 && "$dir/clone/build/fwctl" version >/dev/null
	status=$?
	[ $status -eq 0 ] || tail -n 30 "$dir/build.log"
	ok $status "a fresh clone builds with make"
	[ -z "$(git -C "$dir/clone" status --porcelain)" ]
	ok $? "the build leaves nothing that git would see"
else
	skip "a fresh clone builds with make" "this tree is not a git repository"
fi
echo "1..$n"
exit $failed
