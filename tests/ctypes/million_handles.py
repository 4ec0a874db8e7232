#!/usr/bin/env python3
"""Lists a million handles through ctypes, in at most a second.

The bulk calls of the C API exist for callers like this one, to whom each call
is dear: `wvmi_handle_iter_next_many()` fills an array per call.

    million_handles.py --library libwinvmi.so --forge forge [--seconds S]
"""

import argparse
import ctypes
import pathlib
import subprocess
import tempfile
import time
from ctypes import POINTER, byref, c_char_p, c_int32, c_size_t, c_uint32, c_uint64, c_void_p

ROOT = pathlib.Path(__file__).resolve().parents[2]
HANDLES = 1_000_000
BATCH = 65_536
OK, END = 0, 1
EVENT_ACCESS = 0x1F0003


class Process(ctypes.Structure):
    """`wvmi_process`."""

    _fields_ = [("object", c_uint64)]


class HandleDetails(ctypes.Structure):
    """`wvmi_handle_details`."""

    _fields_ = [
        ("valid", c_uint64),
        ("handle", c_uint64),
        ("object", c_uint64),
        ("attributes", c_uint32),
        ("granted_access", c_uint32),
        ("kind", c_uint32),
        ("reserved", c_uint32),
        ("type_name", c_char_p),
        ("type_name_length", c_size_t),
    ]


PROTOTYPES = {
    "wvmi_config_new": [POINTER(c_void_p)],
    "wvmi_config_add_symbol_path": [c_void_p, c_char_p],
    "wvmi_session_open": [c_char_p, c_void_p, POINTER(c_void_p)],
    "wvmi_session_close": [c_void_p],
    "wvmi_process_by_name": [c_void_p, c_char_p, POINTER(Process)],
    "wvmi_handle_iter_new": [c_void_p, Process, POINTER(c_void_p)],
    "wvmi_handle_iter_next_many": [
        c_void_p,
        POINTER(HandleDetails),
        c_size_t,
        c_size_t,
        POINTER(c_size_t),
    ],
}


class Library:
    """The functions that the test calls; an error is an exception."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        for name, arguments in PROTOTYPES.items():
            function = getattr(self.library, name)
            function.argtypes = arguments
            function.restype = c_int32
        for name in ("wvmi_config_free", "wvmi_handle_iter_free"):
            function = getattr(self.library, name)
            function.argtypes = [c_void_p]
            function.restype = None

    def call(self, name, *arguments):
        """The status of a call that does not fail."""
        status = getattr(self.library, name)(*arguments)
        if status not in (OK, END):
            raise RuntimeError(f"{name} answered {status}")
        return status

    def open(self, image, symbols):
        """A session."""
        config, session = c_void_p(), c_void_p()
        self.call("wvmi_config_new", byref(config))
        self.call("wvmi_config_add_symbol_path", config, str(symbols).encode())
        self.call("wvmi_session_open", str(image).encode(), config, byref(session))
        self.library.wvmi_config_free(config)
        return session

    def handles(self, session, process):
        """The open handles of a process, a batch of details at a time."""
        iterator, count = c_void_p(), c_size_t()
        details = (HandleDetails * BATCH)()
        size = ctypes.sizeof(HandleDetails)
        self.call("wvmi_handle_iter_new", session, process, byref(iterator))
        next_many = ("wvmi_handle_iter_next_many", iterator, details, size, BATCH, byref(count))
        while self.call(*next_many) == OK:
            yield details, count.value
        self.library.wvmi_handle_iter_free(iterator)


def forge(program, image):
    """Writes a guest whose process `bulk.exe` has a million handles of events."""
    command = [program, "--layout", "win10-19041", "--format", "full"]
    command += ["--handles", str(HANDLES), "--memory", "256", image]
    subprocess.run(command, check=True)


def listed(library, session):
    """Number of handles, and how many seconds listing them took."""
    process = Process()
    library.call("wvmi_process_by_name", session, b"bulk.exe", byref(process))
    start = time.perf_counter()
    total = 0
    for details, count in library.handles(session, process):
        total += count
        for index in (0, count - 1):
            assert details[index].type_name == b"Event", details[index].type_name
            assert details[index].granted_access == EVENT_ACCESS
    return total, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", required=True)
    parser.add_argument("--forge", required=True)
    parser.add_argument("--seconds", type=float, default=1.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        image = pathlib.Path(folder) / "handles.dmp"
        forge(arguments.forge, image)
        library = Library(arguments.library)
        session = library.open(image, ROOT / "tests/profiles/windows")
        total, seconds = listed(library, session)
        library.call("wvmi_session_close", session)
    print(f"{total} handles in {seconds:.3f} s")
    assert total == HANDLES, "some handles are missing"
    assert seconds < arguments.seconds, "too slow"


if __name__ == "__main__":
    main()
