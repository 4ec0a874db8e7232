# make demo      builds the library, forges a sample dump, lists its processes from C
# make test      runs all tests
# make install   installs library, header, pkg-config file and command below PREFIX
#
# PREFIX, LIBDIR and DESTDIR are as everywhere.

CARGO ?= cargo
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# Before 1.0 a new minor version may break the ABI.
SONAME := libwinvmi.so.0.$(word 2,$(subst ., ,$(VERSION)))

SAMPLE := build/sample.dmp

demo: $(SAMPLE)
	$(MAKE) -C c-examples
	build/examples/process_list $(SAMPLE) tests/profiles

# With the examples, Cargo gives dependencies the features that they have in the tests:
# so the tests find all of it built.
library:
	$(CARGO) build --workspace --lib --bins --examples

$(SAMPLE): | library
	mkdir -p build
	$(TARGET)/debug/forge --layout win11-22000 --format bitmap $@

test: $(SAMPLE)
	$(CARGO) test --workspace
	$(MAKE) -C c-examples check DUMP=$(CURDIR)/$(SAMPLE) SYMBOLS=$(CURDIR)/tests/profiles

release:
	WINVMI_SONAME=$(SONAME) $(CARGO) build --release --lib --bin winvmi

install: release
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(BINDIR)
	install -m 755 $(TARGET)/release/libwinvmi.so $(DESTDIR)$(LIBDIR)/libwinvmi.so.$(VERSION)
	ln -sf libwinvmi.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libwinvmi.so
	install -m 644 $(TARGET)/release/libwinvmi.a $(DESTDIR)$(LIBDIR)/libwinvmi.a
	install -m 644 include/winvmi.h* $(DESTDIR)$(INCLUDEDIR)
	sed 's|@PREFIX@|$(PREFIX)|;s|@LIBDIR@|$(LIBDIR)|;s|@INCLUDEDIR@|$(INCLUDEDIR)|;s|@VERSION@|$(VERSION)|' \
		winvmi.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/winvmi.pc
	install -m 755 $(TARGET)/release/winvmi $(DESTDIR)$(BINDIR)/winvmi

clean:
	rm -rf build

.PHONY: demo test library release install clean
