#!/usr/bin/env python3
"""Compares forged guests with what Volatility 3 finds in their images.

usage: check_with_volatility.py FORGE_COMMAND [LAYOUT]...

For each layout, a raw image and a full dump are forged; Volatility (volatility3 2.28, one
process for all plugins of an image) lists information, processes, threads, modules and
handles, which must be those that the forge says it placed. Where Volatility is known to err, its
answer is predicted, with the reason beside the prediction. Exit code 1 when anything differs.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

LAYOUTS = [
    "win7-7601", "win8.1-9600", "win10-14393", "win10-17763",
    "win10-18362", "win10-19041", "win2022-20348", "win11-22000",
]
FORMATS = ["raw", "full"]
PLUGINS = {
    "info": "windows.info.Info",
    "processes": "windows.pslist.PsList",
    "threads": "windows.threads.Threads",
    "modules": "windows.modules.Modules",
    "handles": "windows.handles.Handles",
}
ADDRESS_BITS = 0xFFFF_FFFF_FFFF
OLD_PROTECT_BIT = 1 << 25


def run_plugins(image, symbols):
    """The rows of each plugin as dictionaries. Runs in a process of its own."""
    import volatility3.plugins
    import volatility3.symbols
    from volatility3 import framework
    from volatility3.framework import automagic, constants, contexts, plugins

    constants.OFFLINE = True
    volatility3.symbols.__path__ = [str(symbols), *constants.SYMBOL_BASEPATHS]
    framework.import_files(volatility3.plugins, True)
    context = contexts.Context()
    location = image.resolve().as_uri()
    context.config["automagic.LayerStacker.single_location"] = location
    available = automagic.available(context)
    known = framework.list_plugins()
    tables = {}
    for name, path in PLUGINS.items():
        plugin = known[path]
        chosen = automagic.choose_automagic(available, plugin)
        constructed = plugins.construct_plugin(context, chosen, plugin, "plugins", None, None)
        tables[name] = rows(constructed.run())
    return tables


def rows(grid):
    found = []
    names = [column.name for column in grid.columns]

    def visit(node, _):
        found.append({name: plain(value) for name, value in zip(names, node.values)})

    grid.populate(visit, None)
    return found


def plain(value):
    """A cell's number or text; nothing for Volatility's placeholders."""
    if isinstance(value, (bool, int)):
        return int(value)
    return str(value) if isinstance(value, str) else None


def expected_processes(truth):
    return [
        (process["pid"], process["parent_pid"], process["name"], process["object"] & ADDRESS_BITS,
         process["thread_count"], process["session_id"], int(process["is_wow64"]))
        for process in truth["processes"]
    ]


def found_processes(table):
    columns = ("PID", "PPID", "ImageFileName", "Offset(V)", "Threads", "SessionId", "Wow64")
    return [tuple(row[column] for column in columns) for row in table]


def expected_threads(truth):
    # Volatility walks the processes of the list; the idle process is not in it.
    return sorted(
        (thread["pid"], thread["tid"], thread["object"] & ADDRESS_BITS,
         thread["start_address"] & ADDRESS_BITS, thread["win32_start_address"] & ADDRESS_BITS)
        for thread in truth["threads"] if thread["pid"]
    )


def found_threads(table):
    columns = ("PID", "TID", "Offset", "StartAddress", "Win32StartAddress")
    return sorted(tuple(row[column] for column in columns) for row in table)


def expected_modules(truth):
    return [
        (module["entry"] & ADDRESS_BITS, module["base"] & ADDRESS_BITS, module["size"],
         module["name"], module["path"])
        for module in truth["modules"]
    ]


def found_modules(table):
    columns = ("Offset", "Base", "Size", "Name", "Path")
    return [tuple(row[column] for column in columns) for row in table]


def expected_handles(truth):
    objects = {thing["address"]: thing for thing in truth["objects"]}
    is_old = truth["kernel"]["major_version"] < 6 or truth["kernel"]["build"] < 9200
    handles = []
    for handle in truth["handles"]:
        thing = objects[handle["object"]]
        # Volatility takes an encoded type index of 0 for a free entry.
        if thing["encoded_type_index"] == 0:
            continue
        # Volatility keeps the old entries' protect-from-close bit in the access.
        protect = OLD_PROTECT_BIT if is_old and handle["attributes"] & 1 else 0
        handles.append((handle["pid"], handle["handle"], handle["object"] & ADDRESS_BITS,
                        thing["type_name"], handle["access"] | protect, name_of(thing, truth)))
    return sorted(handles)


def name_of(thing, truth):
    """What Volatility prints as the name of an object."""
    kind, address = thing["type_name"], thing["address"]
    if kind == "Process":
        process = next(item for item in truth["processes"] if item["object"] == address)
        return f"{process['name']} Pid {process['pid']}"
    if kind == "Thread":
        thread = next(item for item in truth["threads"] if item["object"] == address)
        return f"Tid {thread['tid']} Pid {thread['pid']}"
    if kind == "Key":
        # Volatility leaves the root of the registry out.
        return thing["path"].removeprefix("\\REGISTRY\\")
    if kind == "File":
        # Volatility knows the device and the file's own name, but no related file.
        return thing["own_path"]
    return thing["name"] or ""


def found_handles(table):
    columns = ("PID", "HandleValue", "Offset", "Type", "GrantedAccess")
    return sorted((*(row[column] for column in columns), row["Name"] or "") for row in table)


def expected_info(truth):
    kernel = truth["kernel"]
    return {
        "Kernel Base": hex(kernel["base"] & ADDRESS_BITS),
        "DTB": hex(kernel["system_root"]),
        # Volatility reads no more than 32 characters.
        "NTBuildLab": kernel["build_lab"][:32],
        "Major/Minor": f"15.{kernel['build']}",
        "KeNumberProcessors": str(kernel["processors"]),
        "NtSystemRoot": "C:\\Windows",
        "NtMajorVersion": str(kernel["major_version"]),
        "NtMinorVersion": str(kernel["minor_version"]),
        "PE MajorOperatingSystemVersion": str(kernel["major_version"]),
    }


def found_info(table):
    return {row["Variable"]: row["Value"] for row in table}


def differences(truth, tables):
    """Descriptions of what differs."""
    info = found_info(tables["info"])
    for name, value in expected_info(truth).items():
        if info.get(name) != value:
            yield f"info {name}: {info.get(name)} instead of {value}"
    pairs = {
        "processes": (expected_processes(truth), found_processes(tables["processes"])),
        "threads": (expected_threads(truth), found_threads(tables["threads"])),
        "modules": (expected_modules(truth), found_modules(tables["modules"])),
        "handles": (expected_handles(truth), found_handles(tables["handles"])),
    }
    for name, (placed, found) in pairs.items():
        if placed != found:
            missing = [row for row in placed if row not in found][:3]
            surplus = [row for row in found if row not in placed][:3]
            yield f"{name}: missing {missing}, surplus {surplus}"


def check(forge, layout, image_format, folder):
    image, truth = folder / "image", folder / "truth.json"
    command = [forge, "--layout", layout, "--format", image_format, "--no-deep-handles"]
    subprocess.run([*command, "--expected", truth, image], check=True)
    # Volatility removes tables from its symbol directory: it gets a copy.
    symbols = folder / "symbols"
    shutil.copytree(Path(__file__).parent.parent / "profiles", symbols, dirs_exist_ok=True)
    worker = [sys.executable, __file__, "--worker", image, symbols]
    tables = json.loads(subprocess.run(worker, check=True, capture_output=True).stdout)
    found = list(differences(json.loads(truth.read_text()), tables))
    print(f"{layout} {image_format}: {'; '.join(found) or 'agrees'}", flush=True)
    return not found


def main():
    if sys.argv[1] == "--worker":
        json.dump(run_plugins(Path(sys.argv[2]), Path(sys.argv[3])), sys.stdout)
        return 0
    layouts = sys.argv[2:] or LAYOUTS
    with tempfile.TemporaryDirectory() as folder:
        results = [
            check(sys.argv[1], layout, image_format, Path(folder))
            for layout in layouts for image_format in FORMATS
        ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
