#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run a command on another kernel: Debian's cloud kernel in QEMU without KVM, with what `make all test-build` left in build/.
#   scripts/vm.sh KERNEL COMMAND…       KERNEL: 6.1 or 6.12, the newest of that series that apt knows
#   scripts/vm.sh 6.1 build/fwctl version
#   scripts/vm.sh 6.12 bash -c 'uname -r; ip -V'
# The command runs as root, alone, in a copy of this tree (sources, binaries, tests), in memory; nothing that it writes
# comes back but its output, standard error with it. Exit status: the command's; 124 after VM_TIMEOUT seconds;
# 125 when the machine did not start or died, its console is then in build/vm/console-KERNEL.log. Needs no /dev/kvm, and root
# only to install what is missing.
#   VM_CPUS (2)  VM_MEMORY (2G)  VM_TIMEOUT (1800)
set -eu
shopt -s nullglob
cd "$(dirname "$0")/.."
VM=build/vm
die() {
	echo "vm: $*" >&2
	exit 125
}
[ $# -ge 2 ] || {
	sed -n '3,11s/^# //p' "$0" >&2
	exit 2
}
series=$1
shift
[[ $series =~ ^[0-9]+\.[0-9]+$ ]] || die "\"$series\" is no kernel series; 6.1 is one"
[ -x build/fwctl ] || die "build/fwctl is missing: make"
for need in qemu-system-x86_64 busybox cpio xz; do
	command -v $need >/dev/null && continue
	scripts/deps.sh vm >&2 || die "$need is not installed"
done
! ldd "$(command -v busybox)" >/dev/null 2>&1 || die "busybox needs libraries. Run: apt-get install busybox-static"

# What of this system goes in: the programs of these packages, as far as they are here, with their libraries; busybox stands
# in for everything else.
PACKAGES="bash bpftool bsdutils coreutils diffutils ethtool findutils grep iproute2 iputils-ping jq make mandoc mawk
	netcat-openbsd nftables procps sed strace tcpdump util-linux util-linux-extra"
MODULES="veth dummy tun 8021q sch_ingress cls_bpf act_bpf pktgen nf_tables nft_objref"

mkdir -p $VM
exec 9>"$VM/lock-$series"
flock 9 # one of a kind at a time
rm -rf "$VM/run-$series".*
run=$(mktemp -d "$PWD/$VM/run-$series.XXXXXX")
qemu=""
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null; rm -rf "$run"' EXIT
trap 'exit 130' INT TERM HUP

# The kernel: its package is unpacked, not installed, and kept.
package_name() {
	apt-cache pkgnames "linux-image-$series." | grep -E '^linux-image-[^a-z]*[+a-z0-9]*-cloud-amd64$' | sort -V | tail -n 1
}
package_get() {
	package=$(package_name)
	[ -n "$package" ] && (cd "$run" && apt-get download "$package" >apt.log 2>&1)
}
kernel=$VM/linux-$series
if [ ! -e "$kernel/done" ]; then
	echo "vm: downloading a kernel $series" >&2
	# The package lists may be absent, or older than what the server still has.
	if ! package_get; then
		[ "$(id -u)" -eq 0 ] && apt-get update >"$run/apt.log" 2>&1 && package_get ||
			die "apt cannot get linux-image-$series…-cloud-amd64; perhaps: apt-get update. $(tail -n 1 "$run/apt.log" 2>&1)"
	fi
	rm -rf "$kernel"
	dpkg -x "$run/$package"_*.deb "$kernel"
	rm "$run/$package"_*.deb
	find "$kernel" -name '*.ko.xz' -exec xz -d {} +
	busybox depmod -b "$PWD/$kernel" "$(ls "$kernel/lib/modules")"
	touch "$kernel/done"
fi
version=$(ls "$kernel/lib/modules")

# The file system: busybox below /bin, this system's programs below /usr/local/bin with their libraries, this tree at /fw.
root=$run/root
mkdir -p "$root"/{bin,usr/local/bin,proc,sys,dev,tmp,run,mnt,etc,root,var,fw/build} "$root/lib/modules/$version"
cp -L "$(command -v busybox)" "$root/bin/busybox"
busybox --list | grep -v '^busybox$' | while read -r applet; do ln -s busybox "$root/bin/$applet"; done
ln -s /usr/local/bin/bash "$root/bin/bash"
ln -s ../run "$root/var/run"
printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'nobody:x:65534:65534:nobody:/:/bin/sh' 'tcpdump:x:108:65534::/:/bin/sh' >"$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$root/etc/group"
cp -L /etc/protocols /etc/services "$root/etc/" 2>/dev/null || :
for path in *; do
	[ "$path" = build ] || cp -a "$path" "$root/fw/"
done
for path in build/fwctl build/bpf build/tests/*/test_* build/tests/*/tool_*; do
	case $path in
	*.o | *.d) continue ;;
	esac
	cp -rL --parents "$path" "$root/fw/"
done
find "$root/fw/build" -type f -perm -u+x -exec strip --strip-debug {} +
for package in $PACKAGES; do
	for path in $(dpkg -L "$package" 2>/dev/null | grep -E '^(/usr)?/s?bin/[^/]+$'); do
		[ ! -x "$path" ] || cp -Lu "$path" "$root/usr/local/bin/"
	done
done
for path in nc awk; do # names that Debian's alternatives give
	[ -e "$root/usr/local/bin/$path" ] || ! command -v $path >/dev/null || cp -L "$(command -v $path)" "$root/usr/local/bin/"
done
# shellcheck disable=SC2046 # a list of paths
for path in $(find "$root/fw/build" "$root/usr/local/bin" -type f -perm -u+x -exec ldd {} + 2>/dev/null |
	grep -oE '/[^ :]+\.so[^ :]*' | sort -u); do
	[ -e "$root$path" ] || cp -L --parents "$path" "$root/"
done
modules_of() { # NAME: paths below lib/modules/VERSION of a module and what it depends on
	sed -n "s@^\(.*/$1\.ko\):@\1 @p" "$kernel/lib/modules/$version/modules.dep"
}
for module in $MODULES; do
	for path in $(modules_of "$module"); do
		(cd "$kernel/lib/modules/$version" && cp --parents "$path" "$root/lib/modules/$version/")
	done
done
cp "$kernel/lib/modules/$version/modules.dep" "$root/lib/modules/$version/"

# Three serial lines: the kernel's console, the command's output, its exit status.
{
	echo '#!/bin/bash'
	echo 'cd /fw'
	echo "export VM_KERNEL=$series HOME=/root LC_ALL=C CMOCKA_MESSAGE_OUTPUT=${CMOCKA_MESSAGE_OUTPUT:-TAP}"
	printf '%q ' "$@"
	echo
} >"$root/command"
cat >"$root/init" <<EOI
#!/bin/busybox sh
export PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
ln -s /proc/self/fd /dev/fd
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
for m in $MODULES; do modprobe -q \$m; done
ip link set lo up
stty -F /dev/ttyS1 raw -echo
stty -F /dev/ttyS2 raw -echo
# Not the terminal itself: what runs here must not take it for one.
mkfifo /output
cat </output >/dev/ttyS1 &
cat=\$!
bash /command </dev/null >/output 2>&1
echo "status \$?" >/dev/ttyS2
# What it left running would keep the pipe open.
for p in /proc/[0-9]*; do
	p=\${p#/proc/}
	[ \$p = 1 ] || [ \$p = \$cat ] || kill -9 \$p 2>/dev/null
done
wait \$cat
poweroff -f
EOI
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet -R 0:0 >../initramfs)
rm -rf "$root"

timeout --foreground --kill-after=5 "${VM_TIMEOUT:-1800}" qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
	-accel tcg,thread=single -cpu max -smp "${VM_CPUS:-2}" -m "${VM_MEMORY:-2G}" \
	-kernel "$kernel/boot/vmlinuz-$version" -initrd "$run/initramfs" -append "console=ttyS0 quiet panic=-1 net.ifnames=0" \
	-serial "file:$VM/console-$series.log" -chardev stdio,id=out,signal=on -serial chardev:out -serial "file:$run/status" \
	</dev/null 9>&- &
qemu=$!
status=0
wait $qemu || status=$?
qemu=""
[ $status -ne 124 ] || { echo "vm: no end after ${VM_TIMEOUT:-1800} s" >&2; exit 124; }
status=$(sed -n 's/^status \([0-9]*\)$/\1/p' "$run/status" 2>/dev/null)
[ -n "$status" ] || die "the machine died; see $VM/console-$series.log: $(tail -n 3 $VM/console-$series.log)"
exit "$status"
