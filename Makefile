# weir: everything that is built goes into $(BUILD).  `make help` lists the rest.

BUILD  ?= build
CC     ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
VERSION = 0.1.0
# The tag; or the version to come, and the commit; .version is in the tarball.
COMMIT := $(subst -,.,$(shell cat .version 2>/dev/null || \
	 git describe --always --dirty --tags --match 'v*' 2>/dev/null | \
	 sed 's/^v//; t; s/^/$(VERSION)+g/'))
COMMIT := $(or $(COMMIT),$(VERSION))

WARN   = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
	 -Wmissing-prototypes -Wpointer-arith -Wvla -Wno-missing-field-initializers
# Linux asks nothing of x86 programs but the shadow stack, which "return" is for.
try    = $(shell $(CC) -Werror $(1) -S -o /dev/null -x c /dev/null >/dev/null 2>&1 \
	 && echo $(1))
HARDEN := -fPIE -fstack-protector-strong -fno-common \
	 $(call try,-fstack-clash-protection) $(call try,-fcf-protection=return) \
	 $(call try,-mbranch-protection=standard)
# glibc looks at it where code is optimized; sanitizers see more without it.
ifneq ($(filter -O1 -O2 -O3 -Os,$(CFLAGS)),)
ifeq ($(findstring -fsanitize,$(CFLAGS)),)
HARDEN += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
endif
DARWIN := $(filter Darwin,$(shell uname))
LINK   = $(if $(DARWIN),,-pie -Wl,-z,relro,-z,now)
# json-parser goes into the program, so that it runs where that is not; what it
# wants of libm is in policies/language/jsonparser.c.
JSON ?= $(if $(DARWIN),-ljsonparser,-l:libjsonparser.a)

# Where a long has 32 bits, glibc's times and sizes of files would have as many.
WIDE := $(shell echo 'char a[sizeof(long) == 4 ? 1 : -1];' | $(CC) $(CFLAGS) \
	 -S -o /dev/null -x c - 2>/dev/null && \
	 echo -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64)
DEFINES = -D_GNU_SOURCE $(WIDE) -DWEIR_VERSION=\"$(VERSION)\"
ALL_CFLAGS = -std=c11 $(DEFINES) -MMD -MP $(WARN) $(HARDEN) $(CFLAGS) $(SMALL)

, := ,
# A short line for each command; V=1 shows the commands.
say = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),,@echo "  $(1)"; )
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

# What stands behind shim/system.h: linux, or posix.
SYSTEM ?= $(if $(filter Linux,$(shell uname)),linux,posix)
OTHERS := $(if $(filter linux,$(SYSTEM)),%_posix.c,%_linux.c)

PARTS  := $(wildcard parser/*.c) $(wildcard policies/*/*.c) \
	  $(filter-out shim/main.c shim/preload.c,$(wildcard shim/*.c shim/verbs/*.c))
PARTS  := $(filter-out $(OTHERS),$(PARTS)) shim/help_text.c
# What no message goes through is built to be small.
HOT  := relay pipe session upstream downstream decide stream fd
COLD := parser/elicit.c parser/member.c $(wildcard policies/language/*.c policies/counters/*.c shim/verbs/*.c) \
	$(filter-out $(HOT:%=shim/%.c),$(wildcard shim/*.c))
COLD := $(filter-out policies/counters/counters.c policies/counters/windows.c,$(COLD))
UNITS  := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
TESTS  := $(UNITS:%=$(BUILD)/tests/%) $(BUILD)/tests/test_corpus \
	  $(BUILD)/tests/test_e2e
SERVER := $(BUILD)/tests/server
FAULTY := $(BUILD)/tests/faulty
# For LD_PRELOAD, which is Linux'.
LIBWEIR := $(BUILD)/libweir.so
FAULTY_LIBRARY := $(BUILD)/tests/faulty.so
COUNTING := $(BUILD)/tests/counting.so
EARLY := $(addprefix $(BUILD)/tests/early-,library.so first.so program)
ifneq ($(SYSTEM),linux)
LIBWEIR :=
FAULTY_LIBRARY :=
EARLY :=
endif
# The end-to-end tests look into /proc, and some units wrap calls with GNU ld.
ifneq ($(shell uname),Linux)
TESTS := $(filter-out $(patsubst %,$(BUILD)/tests/test_%,e2e redis memory \
	 crash replace journal),$(TESTS))
SOAK  :=
FAULTY :=
COUNTING :=
else
SOAK  := $(BUILD)/tests/soak
endif
FUZZERS := config journal scan_simd line list policy regex session
REPLAYS := $(FUZZERS:%=$(BUILD)/tests/replay_%)

# What root builds, as for sudo make install, is given to the tree's owner, who
# builds next.
GIVE = [ "$$(id -u)" -ne 0 ] || chown -R "$$(ls -nd Makefile | awk '{ print $$3 ":" $$4 }')" $(BUILD)

.SECONDARY:
.PHONY: all
all: $(BUILD)/weir $(LIBWEIR) $(BUILD)/completion/done
all:                                 ## build the program and the library (the default)
	@$(GIVE)

SMALLEST := $(or $(call try,-Oz),-Os)
$(COLD:%.c=$(BUILD)/obj/%.o) $(COLD:%.c=$(BUILD)/pic/%.o): \
	SMALL = $(if $(findstring -O2,$(CFLAGS)),$(SMALLEST))

# What weir prints about its options; a weir for another processor prints none.
$(BUILD)/completion/done: $(BUILD)/weir shim/completion
	@mkdir -p $(@D)
	$(call say,GEN $(@D))sh shim/completion $(BUILD)/weir $(@D) 2>/dev/null || \
		rm -f $(@D)/*
	@touch $@

$(BUILD)/weir: $(call objects,shim/main.c $(PARTS)) $(TRACE)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(JSON)

# The same, for LD_PRELOAD, begun before any other library.  It exports nothing,
# and what only the program needs is left out.
PIC = $(patsubst -fPIE,-fPIC,$(HARDEN)) -fvisibility=hidden \
	-ffunction-sections -fdata-sections
LINK_LIBRARY = -shared -Wl,-z,relro,-z,now,-z,initfirst -Wl,-z,defs \
	-Wl,--gc-sections -Wl,--exclude-libs,ALL
LIBRARY := $(patsubst %.c,$(BUILD)/pic/%.o,shim/preload.c $(PARTS))
$(BUILD)/libweir.so $(BUILD)/tests/faulty.so: $(LIBRARY)
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(PIC) $(LINK_LIBRARY) -Wl,-soname,$(@F) \
		$(LDFLAGS) -o $@ $^ $(JSON)

# All objects depend on the compiler and its flags.  Before the first of them,
# what is missing is told.
FLAGS := $(CC) $(ALL_CFLAGS) $(SMALLEST) $(PIC) $(LINK) $(LINK_LIBRARY) $(LDFLAGS) $(JSON)
quote = '$(subst ','\'',$(1))'
.PHONY: FORCE
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@flags=$(call quote,$(FLAGS)); \
	flags="$$flags $$($(CC) --version 2>/dev/null | head -n 1)"; \
	[ "$$flags" = "$$(cat $@ 2>/dev/null)" ] || \
		{ CC=$(call quote,$(CC)) CFLAGS=$(call quote,$(CFLAGS)) \
			sh tests/setup -n cc libjsonparser-dev && \
			printf '%s\n' "$$flags" >$@; }

$(BUILD)/commit: FORCE
	@mkdir -p $(@D)
	@[ "$(COMMIT)" = "$$(cat $@ 2>/dev/null)" ] || echo "$(COMMIT)" >$@

$(BUILD)/obj/shim/version.o $(BUILD)/pic/shim/version.o: $(BUILD)/commit
$(addprefix $(BUILD)/,obj/shim/version.o pic/shim/version.o \
	fuzz/obj/shim/version.o): DEFINES += -DWEIR_COMMIT=\"$(COMMIT)\"

# What weir help prints, of the man pages.
MANUAL = shim/weir.1 policies/weir-policy.5
$(BUILD)/help_text.c: shim/help $(MANUAL)
	@mkdir -p $(@D)
	$(call say,GEN $@)sh shim/help $(MANUAL) >$@.new && mv $@.new $@
$(BUILD)/obj/shim/help_text.o: $(BUILD)/help_text.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)$(CC) $(ALL_CFLAGS) -I. -c -o $@ $<
$(BUILD)/pic/shim/help_text.o: $(BUILD)/help_text.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)$(CC) $(ALL_CFLAGS) -I. $(PIC) -c -o $@ $<

$(BUILD)/pic/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)$(CC) $(ALL_CFLAGS) $(PIC) -c -o $@ $<

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $<)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The static program is to be small; what waits for a network need not be fast.
ifneq ($(findstring WEIR_NUMERIC,$(CFLAGS)),)
$(BUILD)/obj/policies/counters/redis.o $(BUILD)/obj/policies/counters/redis_place.o: \
	override CFLAGS += -Os
endif

$(BUILD)/tests/test_%: $(BUILD)/obj/tests/unit/test_%.o $(call objects,$(PARTS))
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ -lcmocka $(JSON)

$(BUILD)/tests/test_redis: LINK += -Wl,--wrap=clock_gettime
$(BUILD)/tests/test_memory: LINK += -Wl,--wrap=malloc,--wrap=calloc,--wrap=strdup,--wrap=json_parse_ex
WRAPPED := pread pwrite write stat lstat fstat ftruncate fchmod mkostemp linkat \
	   unlink rename fsync flock geteuid
$(BUILD)/tests/test_crash: LINK += $(WRAPPED:%=-Wl,--wrap=%)
$(BUILD)/tests/test_replace: LINK += $(patsubst %,-Wl$(,)--wrap=%,read write \
	fsync rename link mkostemp fchmod fchown fsetxattr)
$(BUILD)/tests/test_journal: LINK += -Wl,--wrap=nanosleep,--wrap=fsync

$(BUILD)/tests/test_corpus: $(call objects,tests/corpus/test_corpus.c $(PARTS))
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ -lcmocka $(JSON)

$(BUILD)/tests/test_e2e: $(call objects,$(wildcard tests/e2e/*.c))
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ -lcmocka $(JSON) -lm

$(BUILD)/tests/replay_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o \
		$(BUILD)/obj/tests/fuzz/replay.o $(call objects,$(PARTS))
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(JSON)
# It compares the doubles of two trees, as libm makes them.
$(BUILD)/tests/replay_list: $(BUILD)/obj/tests/fuzz/fuzz_list.o \
		$(BUILD)/obj/tests/fuzz/replay.o \
		$(call objects,$(wildcard parser/*.c))
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(JSON) -lm

# weir and libweir.so, with their system calls interrupted.
WRAP := $(patsubst %,-Wl$(,)--wrap=%,read write recv send poll dup2 close \
	waitpid pipe pipe2)
$(FAULTY): LINK += $(WRAP)
$(FAULTY): $(call objects,tests/fault/fault.c shim/main.c $(PARTS))
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(JSON)
$(BUILD)/tests/faulty.so: LINK_LIBRARY += $(WRAP)
$(BUILD)/tests/faulty.so: $(BUILD)/pic/tests/fault/fault.o

# What weir allocates, counted.
$(COUNTING): tests/fault/count.c tests/fault/count.h
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) -std=c11 -D_GNU_SOURCE $(WARN) -O2 -fPIC -shared -o $@ $< -ldl

# What runs before main: in a library, in one that asks to be first, in a program.
$(BUILD)/tests/early-first.so: LDFLAGS += -Wl,-z,initfirst
$(BUILD)/tests/early-%.so: tests/fault/early.c
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) -std=c11 -D_GNU_SOURCE $(WARN) -fPIC -shared -Wl,-soname,$(@F) \
		$(LDFLAGS) -o $@ $<
$(BUILD)/tests/early-program: tests/fault/early.c $(BUILD)/tests/early-library.so
	$(call say,LD $@)$(CC) -std=c11 -D_GNU_SOURCE $(WARN) -DPROGRAM $(LDFLAGS) -o $@ $< \
		-Wl,--no-as-needed,-rpath,'$$ORIGIN' $(BUILD)/tests/early-library.so

$(SERVER): $(call objects,$(wildcard tests/server/*.c))
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(JSON) -lm

.PHONY: test check deps
test: deps                           ## install what is missing, run every test; T=NAME
	@$(MAKE) --no-print-directory check

RUN = SYSTEM=$(SYSTEM) TESTS="$(TESTS) $(REPLAYS)" sh tests/run $(BUILD) $(T)
check: build-tests                   ## the same, but install nothing
	@[ -n "$(T)" ] || { sh tests/symbols $(BUILD) && \
		sh tests/circles $(call objects,shim/main.c $(PARTS)) && \
		sh tests/examples $(BUILD)/weir && sh tests/building && \
		sh tests/completion $(BUILD) && \
		sh tests/redis/fleet $(abspath $(BUILD)) 5; }
	@$(RUN)

deps:                                ## install what the build and the tests need
	@sh tests/setup cc libjsonparser-dev libcmocka-dev

.PHONY: build-tests run-tests
build-tests: all $(SOAK) $(SERVER) $(FAULTY) $(FAULTY_LIBRARY) \
		$(COUNTING) $(EARLY) $(BUILD)/redis/fleet $(TESTS) $(REPLAYS)
	@$(GIVE)
run-tests: build-tests
	@$(RUN)

.PHONY: demo
demo:                                ## install what is missing, show weir at work
	@sh tests/setup cc libjsonparser-dev
	@[ -x $(SERVER) ] || echo "Building weir, in about half a minute"
	@$(MAKE) --no-print-directory -s $(BUILD)/weir $(SERVER)
	@WEIR=$(BUILD)/weir SERVER=$(SERVER) sh tests/demo

# The programs of the benchmark.
RELAYS     := bench behind figures input redis
BENCHES    := $(BUILD)/bench/weir-sse2 $(BUILD)/bench/weir-plain \
	      $(BUILD)/bench/bench $(BUILD)/bench/bare $(BUILD)/bench/server \
	      $(BUILD)/bench/alloc.so $(BUILD)/bench/scan $(BUILD)/bench/instr
.PHONY: bench
bench: $(BUILD)/weir static $(BENCHES) ## what weir costs; BENCH=quick: a look
	@sh tests/bench/run $(BUILD) $(ROWS)

$(BUILD)/bench/bench: $(call objects,$(RELAYS:%=tests/bench/%.c))
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^

# weir with one kernel of the scanner alone.
$(BUILD)/bench/scan-sse2.o: DEFINES += -DSCAN_NO_AVX2
$(BUILD)/bench/scan-plain.o: DEFINES += -DSCAN_PLAIN
$(BUILD)/bench/scan-%.o: parser/scan_simd.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $@)$(CC) $(ALL_CFLAGS) -c -o $@ $<
$(BUILD)/bench/weir-%: $(BUILD)/bench/scan-%.o \
		$(call objects,shim/main.c $(filter-out %/scan_simd.c,$(PARTS)))
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(JSON)

$(BUILD)/bench/bare $(BUILD)/bench/server: $(BUILD)/bench/%: \
		$(BUILD)/obj/tests/bench/%.o
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^

$(BUILD)/bench/alloc.so: tests/bench/alloc.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) -fPIC -shared -o $@ $<

$(BUILD)/bench/instr: $(call objects,tests/bench/instr.c $(PARTS))
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(JSON)

# One message, followed through the code.
.PHONY: chain
chain:                               ## the functions that one call goes through
	@$(MAKE) --no-print-directory -s BUILD=$(BUILD)/chain \
		CFLAGS="-O1 -g -finstrument-functions" \
		LINK="-no-pie -Wl,--wrap=poll,--wrap=write" \
		TRACE=$(BUILD)/chain/obj/tests/chain/trace.o $(BUILD)/chain/weir
	@sh tests/chain/run
$(TRACE): CFLAGS = -O1 -g

# One file that needs nothing on the machine it runs on: position-independent,
# with musl, or with glibc where there is no musl-gcc.  The json-parser is the
# installed one; its header is all that musl-gcc takes from /usr/include.
HEADERS    = $(dir $(filter %/json-parser/json.h,$(shell \
	     $(CC) -M -include json-parser/json.h -x c /dev/null)))
MUSL_GCC  ?= musl-gcc
MUSL_DIR   = $(subst -gnu,-musl,/usr/lib/$(shell $(CC) -dumpmachine))
MUSL_BEGIN = -static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text \
	     $(MUSL_DIR)/rcrt1.o $(MUSL_DIR)/crti.o
MUSL_END   = $(shell $(CC) -print-file-name=libjsonparser.a) $(MUSL_DIR)/crtn.o
SECTIONS   = -ffunction-sections -fdata-sections \
	     -fno-asynchronous-unwind-tables -fno-unwind-tables
# Without the resolver of host names: with musl 16 KB, with glibc no one file.
NUMERIC    = -DWEIR_NUMERIC
.PHONY: static
static:                              ## build/static/weir: one file, any Linux
	@CC=$(call quote,$(CC)) sh tests/setup -n cc libjsonparser-dev \
		libjsonparser.a
	@mkdir -p $(BUILD)/static/include
	@ln -sfn $(HEADERS) $(BUILD)/static/include/json-parser
	@if command -v $(MUSL_GCC) >/dev/null && [ -e $(MUSL_DIR)/rcrt1.o ]; then \
		$(MAKE) --no-print-directory BUILD=$(BUILD)/static/musl \
			CC=$(MUSL_GCC) \
			CFLAGS="-O2 -g $(SECTIONS) $(NUMERIC) \
				-I$(BUILD)/static/include" \
			LINK="$(MUSL_BEGIN) -Wl,--gc-sections,-z,relro,-z,now" \
			JSON="$(MUSL_END)" $(BUILD)/static/musl/weir && \
		strip -o $(BUILD)/static/weir $(BUILD)/static/musl/weir; \
	else \
		echo "There is no musl-gcc (Debian: musl-tools): glibc instead"; \
		CC=$(call quote,$(CC)) sh tests/setup -n libc.a && \
		$(MAKE) --no-print-directory BUILD=$(BUILD)/static/glibc \
			CFLAGS="-O2 -g $(SECTIONS) $(NUMERIC)" \
			LINK="-static-pie -Wl,--gc-sections,-z,relro,-z,now" \
			$(BUILD)/static/glibc/weir && \
		strip -o $(BUILD)/static/weir $(BUILD)/static/glibc/weir; \
	fi
	@cd $(BUILD)/static && sha256sum weir
	@$(GIVE)

.PHONY: static-test
static-test: static $(SERVER) $(BUILD)/tests/test_e2e
static-test:                         ## the end-to-end tests of that file
	@PROGRAM=$(BUILD)/static/weir TESTS=$(BUILD)/tests/test_e2e \
		sh tests/run $(BUILD)

HAMMER_SECONDS ?= 30
.PHONY: hammer
hammer: build-tests                  ## 8 processes at one limit, HAMMER_SECONDS=30
	@HAMMER_SECONDS=$(HAMMER_SECONDS) WEIR=$(BUILD)/weir \
		SERVER=$(SERVER) $(BUILD)/tests/test_e2e 'hammer_*'

FLEET_SECONDS ?= 30
.PHONY: fleet
fleet: $(BUILD)/weir $(SERVER) $(BUILD)/redis/fleet
fleet:                               ## 12 weirs on 3 machines, FLEET_SECONDS=30
	@sh tests/redis/fleet $(abspath $(BUILD)) $(FLEET_SECONDS)

$(BUILD)/redis/fleet: $(BUILD)/obj/tests/redis/fleet.o
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^

MOMENTS ?= 60
.PHONY: powercut
powercut: build-tests                ## what a power cut leaves of a grant, MOMENTS=60
	@python3 tests/powercut/run $(BUILD) $(MOMENTS)

.PHONY: targets
targets:                             ## other systems and processors: zig cc, qemu-user
	@sh tests/targets/run $(BUILD)

.PHONY: corpus
corpus: $(BUILD)/weir                ## the attack lines against CMD, or weir
	@WEIR=$(BUILD)/weir python3 tests/corpus/run.py

.PHONY: classes
classes: $(BUILD)/tests/test_classify ## weir scan's classes against a table, FILE=
	@$(BUILD)/tests/test_classify $(FILE)

.PHONY: differential
differential: $(BUILD)/weir          ## what passes, as real readers see it
	@WEIR=$(BUILD)/weir sh tests/differential/run

.PHONY: schema
schema: $(BUILD)/weir                ## policy.schema.json and the loader agree
	@WEIR=$(BUILD)/weir sh tests/schema/run

.PHONY: interop
interop: all                         ## real servers and clients, if npm is here
	@WEIR=$(BUILD)/weir PRELOAD=$(BUILD)/libweir.so sh tests/interop/run

SOAK_SECONDS ?= 600
.PHONY: soak
soak: $(BUILD)/tests/soak $(BUILD)/weir $(SERVER) $(FAULTY)
soak:                                ## sessions at random, SOAK_SECONDS=600
	@WEIR=$(BUILD)/weir SERVER=$(SERVER) FAULTY=$(FAULTY) \
		SOAK_SECONDS=$(SOAK_SECONDS) $(BUILD)/tests/soak

$(BUILD)/tests/soak: $(call objects,tests/soak/soak.c \
		$(addprefix tests/e2e/,harness.c answers.c fields.c processes.c ends.c way.c))
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ -lcmocka $(JSON) -lm

# The scanner against simdjson, where that is: libsimdjson-dev, and a compiler
# for its language.
$(BUILD)/bench/simdjson.o: tests/bench/simdjson.cc tests/bench/simdjson.h
	@mkdir -p $(@D)
	if echo '#include <simdjson.h>' | $(CXX) -E -xc++ - >/dev/null 2>&1; \
	then $(CXX) -std=c++17 -O2 -c -o $@ $<; \
	else echo | $(CC) -xc -c -o $@ -; fi

$(BUILD)/bench/scan: $(call objects,tests/bench/scan.c $(PARTS)) \
		$(BUILD)/bench/simdjson.o
	@mkdir -p $(@D)
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(JSON) \
		$$(nm $(BUILD)/bench/simdjson.o | grep -q yardstick && \
		echo -lsimdjson -lstdc++)

# With the sign that a plain char has on arm64.
SANITIZE = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-funsigned-char
.PHONY: asan
asan:                                ## every test under ASan and UBSan
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS="$(SANITIZE)" \
		JOBS=3 run-tests

# Each fuzzer for FUZZ_SECONDS; what it learns stays in build/fuzz/NAME.  A
# plain call is compared with words that may be longer than what is left of it.
FUZZ_SECONDS ?= 60
FUZZ_FLAGS = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_OBJECTS = $(patsubst %.c,$(BUILD)/fuzz/obj/%.o,$(1))
.PHONY: fuzz
fuzz: $(FUZZERS:%=fuzz-%)            ## libFuzzer (clang), FUZZ_SECONDS=60 each

$(BUILD)/fuzz/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CLANG $<)clang -std=c11 $(DEFINES) -MMD -MP $(WARN) \
		$(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<

$(BUILD)/fuzz/obj/shim/help_text.o: $(BUILD)/obj/shim/help_text.o
	@mkdir -p $(@D)
	cp $< $@

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/obj/tests/fuzz/fuzz_%.o \
		$(call FUZZ_OBJECTS,$(PARTS))
	$(call say,LD $@)clang $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(JSON)
$(BUILD)/fuzz/fuzz_list: $(BUILD)/fuzz/obj/tests/fuzz/fuzz_list.o \
		$(call FUZZ_OBJECTS,$(wildcard parser/*.c))
	$(call say,LD $@)clang $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(JSON) -lm

fuzz-%: $(BUILD)/fuzz/fuzz_%
	@mkdir -p $(BUILD)/fuzz/$*
	ASAN_OPTIONS=strict_memcmp=0 \
	$(BUILD)/fuzz/fuzz_$* -max_total_time=$(FUZZ_SECONDS) -max_len=8192 \
		-dict=tests/fuzz/dictionary -print_final_stats=1 -verbosity=0 \
		-artifact_prefix=$(BUILD)/fuzz/$*- \
		$(BUILD)/fuzz/$* tests/fuzz/seeds/$*

.PHONY: coverage
coverage:                            ## branch coverage of every test, per file
	@rm -rf $(BUILD)/coverage && mkdir -p $(BUILD)/coverage
	@echo "Tests that limit files or descriptors fail: the counting needs some."
	-@$(MAKE) --no-print-directory -s BUILD=$(BUILD)/coverage \
		CFLAGS="-O0 -g --coverage" run-tests >$(BUILD)/coverage/log 2>&1
	@sh tests/coverage $(BUILD)/coverage parser policies shim

.PHONY: linear
linear: $(BUILD)/linear $(BUILD)/linear_regex $(BUILD)/weir
linear:                              ## what a byte costs, in instructions (valgrind)
	@sh tests/linear-cost $(BUILD)/linear $(BUILD)/linear_regex $(BUILD)/weir

$(BUILD)/linear_regex: tests/linear_regex.c $(call objects,$(PARTS))
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(JSON)

$(BUILD)/linear: tests/linear.c $(call objects,$(wildcard parser/*.c))
	$(call say,LD $@)$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^

SOURCES := $(wildcard parser/*.c policies/*/*.c shim/*.c shim/verbs/*.c)
TIDY = -*,bugprone-*,cert-*,clang-analyzer-*,misc-*,performance-*,portability-*
# Two of these cannot know that a size was weighed; cert-err33-c wants even
# printf's result; clang-tidy 14 misreads va_list.
TIDY := $(TIDY),-bugprone-easily-swappable-parameters,-cert-err33-c
TIDY := $(TIDY),-clang-analyzer-security.insecureAPI.*
TIDY := $(TIDY),-clang-analyzer-valist.Uninitialized
# It would allow a child of vfork() nothing but exec; posix_spawn() does as much
# as weir's child, and cannot do all of it.
TIDY := $(TIDY),-clang-analyzer-unix.Vfork
# memchr() looks for bytes here, not for strings; the tables of options read
# better in the order of their columns.
TIDY := $(TIDY),-bugprone-not-null-terminated-result
TIDY := $(TIDY),-clang-analyzer-optin.performance.Padding
.PHONY: lint
lint: DEFINES += -DWEIR_COMMIT=\"\"
lint:                                ## gcc -fanalyzer, clang-tidy, cppcheck, the form
	clang-format --dry-run -Werror $$(git ls-files '*.[ch]')
	@printf '%s\n' $(SOURCES) | xargs -P 2 -n 1 $(CC) -std=c11 $(DEFINES) \
		-O2 $(WARN) -Werror -fanalyzer -c -o /dev/null
	cppcheck --std=c11 $(DEFINES) --quiet --error-exitcode=1 \
		--enable=warning,style,performance,portability \
		--suppress=missingIncludeSystem --suppress=variableScope \
		--suppress=ctuuninitvar --suppress=unusedStructMember \
		$(SOURCES)
	@printf '%s\n' $(SOURCES) | xargs -P 2 -I FILE clang-tidy --quiet \
		--warnings-as-errors='*' --checks='$(TIDY)' FILE \
		-- -std=c11 $(DEFINES)

.PHONY: format
format:                              ## lay out the text of the sources
	clang-format -i $$(git ls-files '*.[ch]')

.PHONY: install uninstall dist
BASH_COMPLETION = $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETION = $(PREFIX)/share/zsh/site-functions
FISH_COMPLETION = $(PREFIX)/share/fish/vendor_completions.d
# Not every system's install has -D.
put = install -d $(DESTDIR)$(3) && install -m $(1) $(2) $(DESTDIR)$(3)
install: all                         ## into $(DESTDIR)$(PREFIX)
	$(call put,755,$(BUILD)/weir,$(PREFIX)/bin)
	$(if $(LIBWEIR),$(call put,644,$(LIBWEIR),$(PREFIX)/lib/weir))
	$(call put,644,shim/weir.1,$(PREFIX)/share/man/man1)
	$(call put,644,policies/weir-policy.5,$(PREFIX)/share/man/man5)
	$(call put,644,policies/policy.schema.json,$(PREFIX)/share/weir)
	$(call put,644,README.md,$(PREFIX)/share/doc/weir)
	$(call put,644,policies/examples/*,$(PREFIX)/share/doc/weir/examples)
	[ ! -e $(BUILD)/completion/weir.fish ] || { \
		$(call put,644,$(BUILD)/completion/weir.bash,$(BASH_COMPLETION)) && \
		mv $(DESTDIR)$(BASH_COMPLETION)/weir.bash \
			$(DESTDIR)$(BASH_COMPLETION)/weir && \
		$(call put,644,$(BUILD)/completion/_weir,$(ZSH_COMPLETION)) && \
		$(call put,644,$(BUILD)/completion/weir.fish,$(FISH_COMPLETION)); }

uninstall:                           ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/weir \
		$(DESTDIR)$(PREFIX)/share/man/man1/weir.1 \
		$(DESTDIR)$(PREFIX)/share/man/man5/weir-policy.5 \
		$(DESTDIR)$(BASH_COMPLETION)/weir \
		$(DESTDIR)$(ZSH_COMPLETION)/_weir \
		$(DESTDIR)$(FISH_COMPLETION)/weir.fish
	rm -rf $(DESTDIR)$(PREFIX)/lib/weir $(DESTDIR)$(PREFIX)/share/weir \
		$(DESTDIR)$(PREFIX)/share/doc/weir

# Both from the last commit: what is not committed is not in them.
DIST = weir-$(COMMIT:.dirty=)
dist:                                ## build/weir-VERSION.tar.gz, the same each time
	@mkdir -p $(BUILD)
	git archive --prefix=$(DIST)/ \
		--add-virtual-file=$(DIST)/.version:$(COMMIT:.dirty=) HEAD | \
		gzip -9n >$(BUILD)/$(DIST).tar.gz
	cd $(BUILD) && sha256sum $(DIST).tar.gz

.PHONY: deb
deb: dist                            ## a Debian package, into build/deb
	sh tests/package/build $(BUILD)/$(DIST).tar.gz $(BUILD)/deb

.PHONY: deb-test
deb-test: deb $(SERVER)              ## installed, used, purged in a new Debian
	sh tests/package/try $(BUILD)/deb/weir_*.deb $(SERVER) $(SUITE)

.PHONY: clean
clean:                               ## remove what was built
	rm -rf $(BUILD)

.PHONY: help
help:                                ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

-include $(wildcard $(BUILD)/fuzz/obj/*/*.d $(BUILD)/fuzz/obj/*/*/*.d $(BUILD)/pic/*/*.d $(BUILD)/pic/*/*/*.d $(BUILD)/obj/*/*.d $(BUILD)/obj/*/*/*.d)
