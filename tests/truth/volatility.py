#!/usr/bin/env python3
"""Compare winvmi with Volatility 3, field by field, on forged guests.

    volatility.py --winvmi PATH --forge PATH [--work DIR] [LAYOUT ...]

For each layout one image is forged, winvmi prints it as JSON, and one
Volatility run answers the same questions. Every difference fails; where
Volatility itself is wrong, plugins.py says why the field is left out. Ends
with "N passed, M failed".
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import plugins  # noqa: E402

PROFILES = pathlib.Path(__file__).parent.parent / "profiles"

LAYOUTS = (
    "win7-7601",
    "win8.1-9600",
    "win10-14393",
    "win10-17763",
    "win10-18362",
    "win10-19041",
    "win2022-20348",
    "win11-22000",
)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--winvmi", type=pathlib.Path, required=True)
    parser.add_argument("--forge", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, help="keep images and symbols here")
    parser.add_argument("layouts", nargs="*", default=LAYOUTS)
    return parser.parse_args()


def copy_symbols(work):
    """Volatility deletes tables whose look-up fails: it gets a copy."""
    symbols = work / "symbols"
    shutil.copytree(PROFILES / "windows", symbols / "windows", dirs_exist_ok=True)
    return symbols


def winvmi(options, command, image, symbols, *place):
    """The rows that winvmi prints; gaps (exit code 3) count as a difference."""
    call = [options.winvmi, command, "--json", "--symbols", symbols, image, *place]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"winvmi {command} on {image.name}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def volatility(image, symbols, work):
    """What Volatility says, from a process of its own (its state is global)."""
    script = pathlib.Path(__file__).parent / "ask_volatility.py"
    call = [sys.executable, script, image, symbols, work / "cache", *plugins.NAMES]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"volatility on {image.name}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


def compare(layout, options, work, symbols):
    """Yields (plugin, differences) for one layout."""
    image = work / f"{layout}.raw"
    # Volatility takes a minute for a table of three levels and numbers it wrongly.
    forge = [options.forge, "--layout", layout, "--format", "raw", "--no-deep-handles", image]
    subprocess.run(forge, check=True)
    theirs = volatility(image, symbols, work)

    def peek(address):
        rows = winvmi(options, "read", image, symbols, hex(address), "1")
        return int(rows[0]["bytes"], 16)

    for plugin in plugins.PLUGINS:
        own = winvmi(options, plugin.command, image, symbols, *plugin.arguments)
        yield plugin, plugin.differences(own, theirs[plugin.name], peek)
    if not options.work:
        image.unlink()


def main():
    options = arguments()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or pathlib.Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        symbols = copy_symbols(work)
        for layout in options.layouts:
            for plugin, differences in compare(layout, options, work, symbols):
                verdict = "differs" if differences else "agrees"
                print(f"{layout:14} {plugin.name:10} {verdict}", flush=True)
                for difference in differences[:10]:
                    print(f"    {difference}")
                passed, failed = passed + (not differences), failed + bool(differences)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
