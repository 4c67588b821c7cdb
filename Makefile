# SPDX-License-Identifier: GPL-2.0-only
# One makefile for everything; every output is below $(B).
#   make SAN=1 …   the same with AddressSanitizer and UBSan, below build/san
CC ?= cc
CLANG ?= clang
STRIP ?= strip
PREFIX ?= /usr/local
VERSION := 0.1.0

B := build
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wno-unused-parameter -Werror
ALL_CFLAGS := -std=gnu11 $(WARN) $(CFLAGS) -D_GNU_SOURCE -DFWCTL_VERSION='"$(VERSION)"' -Iuserspace -Ixdp/include -I/usr/include/libnl3
LDSTATIC := -static
ifdef SAN
B := build/san
ALL_CFLAGS += -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS += -fsanitize=address,undefined
LDSTATIC :=
endif

LIBS_KERN := -lxdp -lbpf -lelf -lz
LIBS_PURE := -lnettle
# What commands alone need: the live screen, captures, sockets of the machine.
LIBS_TERM := -lncursesw -ltinfo
LIBS_PCAP := -lpcap
LIBS_NL := -lnl-3
LIBS_MAIN = -ljansson $(LIBS_TERM) $(LIBS_PCAP) $(LIBS_NL)

# make V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')

srcs = $(foreach d,$(1),$(wildcard $(d)/*.c))
objs = $(patsubst %.c,$(B)/%.o,$(call srcs,$(1)))
PURE := $(call objs,userspace/base userspace/model userspace/analyze userspace/lang userspace/compile userspace/image)
KERN := $(call objs,userspace/kern) $(B)/userspace/kern/embed.o
MAIN := $(call objs,userspace/fwctl)
HARNESS := $(call objs,tests/harness)
BPF := $(B)/bpf/fw_xdp.bpf.o $(B)/bpf/fw_tc.bpf.o $(B)/bpf/fw_set.bpf.o
BENCH_BPF := $(patsubst bench/%.bpf.c,$(B)/bpf/%.bpf.o,$(wildcard bench/*.bpf.c))
TEST_BPF := $(patsubst %.bpf.c,$(B)/bpf/%.bpf.o,$(notdir $(wildcard tests/net/*.bpf.c tests/kernel/*.bpf.c)))

# Tests that need no privilege, and tests that speak to the kernel.
PURE_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c tests/lang/test_*.c tests/image/test_*.c tests/host/test_*.c))
KERN_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/kernel/test_*.c))
TOOLS := $(patsubst %.c,$(B)/%,$(wildcard tests/net/tool_*.c tests/conformance/tool_*.c tests/fault/tool_*.c))
# What the delivery tool is made of, beside itself.
DELIVERY := $(patsubst %.c,$(B)/%.o,$(filter-out tests/conformance/tool_%,$(wildcard tests/conformance/*.c)))
BENCHES := $(patsubst bench/%.c,$(B)/bench/%,$(wildcard bench/bench_*.c))
BENCH_LIB := $(patsubst bench/%.c,$(B)/bench/%.o,$(filter-out %.bpf.c bench/bench_%.c,$(wildcard bench/*.c)))
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

all: $(B)/fwctl ## build the binary (build/fwctl); nothing else is needed at run time

$(B)/fwctl: $(MAIN) $(B)/libkern.a $(B)/libfw.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(LDSTATIC) -o $@ $(MAIN) $(B)/libkern.a $(B)/libfw.a $(LIBS_KERN) $(LIBS_PURE) $(LIBS_MAIN)

$(B)/libfw.a: $(PURE)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(B)/libkern.a: $(KERN)
	$(Q)rm -f $@ && $(AR) rcs $@ $^
$(B)/libharness.a: $(HARNESS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c | $(B)/.layers
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(if $(filter tests/% bench/%,$<),-I. -Itests) -MMD -MP -c -o $@ $<

# The BPF objects travel inside the binary.
$(B)/userspace/kern/embed.o: userspace/kern/embed.S $(BPF)
	@mkdir -p $(@D)
	$(Q)$(CC) -I$(B)/bpf -c -o $@ $<

# -mcpu=v3: what every supported kernel has; clang 14 knows no later one.
BPF_CFLAGS := --target=bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter -Wno-address-of-packed-member \
	-Ixdp/include -Ixdp/core -I/usr/include/$(shell $(CC) -print-multiarch)
vpath %.bpf.c xdp tc bench tests/net tests/kernel
$(B)/bpf/%.bpf.o: %.bpf.c | $(B)/.layers
	@mkdir -p $(@D)
	$(call say,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<

# Includes that point upward fail the build.
$(B)/.layers: $(shell find xdp tc userspace -name '*.[ch]' -newer $(B)/.layers 2>/dev/null || echo FORCE) scripts/check-layers.sh
	@mkdir -p $(@D)
	@scripts/check-layers.sh
	@touch $@

$(PURE_TESTS): $(B)/%: $(B)/%.o $(B)/libharness.a $(B)/libfw.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(B)/libharness.a $(B)/libfw.a $(LIBS_PURE) $(LIBS_TEST) -lcmocka
# What is pure beside the commands.
$(B)/tests/unit/test_feed: $(B)/userspace/fwctl/feed_text.o $(B)/userspace/fwctl/feed_json.o
$(B)/tests/unit/test_feed: LIBS_TEST := -ljansson
$(B)/tests/unit/test_http: $(B)/userspace/fwctl/http.o
$(B)/tests/unit/test_openmetrics: $(B)/userspace/fwctl/openmetrics.o
$(B)/tests/unit/test_pcapng: $(B)/userspace/fwctl/pcapng.o
$(B)/tests/unit/test_eventlog: $(B)/userspace/fwctl/eventloop.o $(B)/userspace/fwctl/eventtext.o $(B)/userspace/fwctl/words.o
$(B)/tests/unit/test_eventlog: LIBS_TEST := -ljansson
$(B)/tests/unit/test_top_model: $(patsubst %,$(B)/userspace/fwctl/%.o,top_model top_rows top_grid top_draw top_views words)
$(B)/tests/unit/test_sink: $(B)/userspace/fwctl/sink.o
$(B)/tests/unit/test_ring: $(B)/userspace/kern/ring.o
CAPTURE := capture capture_ng capture_link
$(B)/tests/unit/test_capture: $(CAPTURE:%=$(B)/userspace/fwctl/%.o)
$(B)/tests/unit/test_explain: $(B)/userspace/fwctl/explain_miss.o
$(KERN_TESTS) $(TOOLS): $(B)/%: $(B)/%.o $(B)/libharness.a $(B)/libkern.a $(B)/libfw.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(B)/libharness.a $(B)/libkern.a $(B)/libfw.a $(LIBS_KERN) $(LIBS_PURE) -ljansson -lpcap -lcmocka
$(B)/tests/conformance/tool_deliver: $(DELIVERY)
# What of the commands is measured in place.
$(B)/bench/bench_replay: $(patsubst %,$(B)/userspace/fwctl/%.o,$(CAPTURE) replay_source judge out words)
$(BENCHES): $(B)/bench/%: $(B)/bench/%.o $(BENCH_LIB) $(B)/libharness.a $(B)/libkern.a $(B)/libfw.a $(BENCH_BPF)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter-out %.bpf.o,$(filter %.o,$^)) $(B)/libharness.a $(B)/libkern.a $(B)/libfw.a $(LIBS_KERN) $(LIBS_PURE) -ljansson
# libFuzzer comes with clang; the product is compiled anew with its instrumentation. Of the harness, what needs neither kernel nor cmocka.
$(B)/fuzz/fuzz_capture: $(CAPTURE:%=userspace/fwctl/%.c)
FUZZ_HARNESS := $(shell grep -LE '"kern/|"harness/(lab|rim|box)|<cmocka|<bpf/' tests/harness/*.c)
$(B)/fuzz/%: tests/fuzz/%.c $(call srcs,userspace/base userspace/model userspace/analyze userspace/lang userspace/compile userspace/image) $(FUZZ_HARNESS)
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)$(CLANG) -std=gnu11 -g -O1 -D_GNU_SOURCE -Iuserspace -Ixdp/include -I. -Itests -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $@ $^ $(LIBS_PURE)

.SECONDARY:
FORCE:
.PHONY: all test test-vm dashboard test-long verifier-log test-build pure-tests bench bench-plots bench-peers demo fuzz install uninstall clean help FORCE
test-build: $(B)/fwctl $(PURE_TESTS) $(KERN_TESTS) $(TOOLS) $(TEST_BPF)
pure-tests: $(PURE_TESTS)
test: ## run every test (as root; scripts/test.sh installs what is missing first)
	tests/run
test-long: all test-build ## the differentials at length: 10^7 pairs, 20 minutes (as root)
	tests/long.sh
bench: all $(BENCHES) ## print ns per packet, compile and publish time, memory (as root)
	bench/run
bench-plots: all $(BENCHES) ## measure again at more sizes and draw bench/results/*.svg (as root)
	bench/run plots
bench-peers: all $(BENCHES) ## fwctl beside nftables, iptables, ipset, xdp-filter (as root; QUICK=1: a minute)
	bench/peers/run
dashboard: all test-build ## draw docs/dashboard.svg from four minutes of real traffic (as root)
	scripts/dashboard.sh
test-vm: all test-build ## kernel and net tests on Linux 6.1 and 6.12, in QEMU without KVM: long
	tests/vm/run
verifier-log: test-build ## what the verifier spends on each program, on three kernels (as root)
	scripts/verifier-log.sh
demo: ## the tour: namespaces, real traffic, verdicts, a swap under load (as root)
	scripts/demo.sh
fuzz: $(FUZZERS) ## fuzz rule text and packets, FUZZ_SECONDS (60) each
	tests/fuzz/run
install: all ## install binary, man page, completion, rules, packaging below $(DESTDIR)$(PREFIX)
	install -D -m 0755 $(B)/fwctl $(DESTDIR)$(PREFIX)/sbin/fwctl
	install -d $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/fwctl/rules \
		$(DESTDIR)$(PREFIX)/share/fwctl/packaging
	$(B)/fwctl help --man > $(DESTDIR)$(PREFIX)/share/man/man8/fwctl.8
	$(B)/fwctl help --completion > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/fwctl
	cp -R rules/. $(DESTDIR)$(PREFIX)/share/fwctl/rules/
	cp -R packaging/. $(DESTDIR)$(PREFIX)/share/fwctl/packaging/
uninstall: ## remove what install put there
	rm -rf $(DESTDIR)$(PREFIX)/sbin/fwctl $(DESTDIR)$(PREFIX)/share/man/man8/fwctl.8 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/fwctl $(DESTDIR)$(PREFIX)/share/fwctl
clean: ## remove build/
	rm -rf build
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

-include $(shell find $(B) -name '*.d' 2>/dev/null)
