#!/usr/bin/env python3
"""Run Volatility 3 plugins on one image, in one process, and print JSON.

    ask_volatility.py IMAGE SYMBOLS CACHE PLUGIN...

The kernel is found once; the other plugins reuse the first one's layers.
"""

import datetime
import json
import pathlib
import sys

import volatility3.plugins
import volatility3.symbols
from volatility3 import framework
from volatility3.framework import automagic, constants, contexts, interfaces, plugins


def configure(symbols, cache):
    constants.OFFLINE = True
    constants.CACHE_PATH = cache
    constants.IDENTIFIERS_PATH = str(pathlib.Path(cache) / "identifiers.cache")
    pathlib.Path(cache).mkdir(parents=True, exist_ok=True)
    volatility3.symbols.__path__ = [symbols, *constants.SYMBOL_BASEPATHS]
    framework.require_interface_version(2, 0, 0)
    framework.import_files(volatility3.plugins, True)


class NoFiles(interfaces.plugins.FileHandlerInterface):
    """Volatility wants a place for the files that plugins write; these write none."""

    def close(self):
        pass


def plain(value):
    """A table cell as JSON has it; anything unreadable is null."""
    if isinstance(value, interfaces.renderers.BaseAbsentValue):
        return None
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    return str(value)


def rows(grid):
    """The rows of a table as dictionaries."""
    names = [column.name for column in grid.columns]
    found = []

    def visit(node, found):
        found.append(dict(zip(names, map(plain, node.values))))
        return found

    grid.populate(visit, found)
    return found


class Guest:
    """One image; remembers where the kernel is."""

    def __init__(self, image):
        self.context = contexts.Context()
        location = pathlib.Path(image).absolute().as_uri()
        self.context.config["automagic.LayerStacker.single_location"] = location
        self.automagics = automagic.available(self.context)
        self.found = None

    def ask(self, plugin):
        path = f"plugins.{plugin.__name__}"
        if self.found is not None:
            self.context.config.splice(path, self.found)
        chosen = automagic.choose_automagic(self.automagics, plugin)
        built = plugins.construct_plugin(self.context, chosen, plugin, "plugins", None, NoFiles)
        if self.found is None:
            self.found = kernel_only(built.build_configuration())
        return rows(built.run())


def kernel_only(configuration):
    """The part of a plugin's configuration that describes the kernel."""
    kept = interfaces.configuration.HierarchicalDict()
    kept.splice("kernel", configuration.branch("kernel"))
    return kept


def main():
    image, symbols, cache, *names = sys.argv[1:]
    configure(symbols, cache)
    known = framework.list_plugins()
    guest = Guest(image)
    json.dump({name: guest.ask(known[name]) for name in names}, sys.stdout)


if __name__ == "__main__":
    main()
