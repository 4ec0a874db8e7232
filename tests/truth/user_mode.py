"""Comparisons of user mode: regions, modules, command lines, environments."""

from plugin import ADDRESS_BITS, Plugin, address

# Where files of forged guests lie; Volatility prints paths without their device.
DEVICE = "\\Device\\HarddiskVolume2"

# The bits of a region's protection: access in the low three, modifiers above.
ACCESS = (
    "PAGE_NOACCESS",
    "PAGE_READONLY",
    "PAGE_EXECUTE",
    "PAGE_EXECUTE_READ",
    "PAGE_READWRITE",
    "PAGE_WRITECOPY",
    "PAGE_EXECUTE_READWRITE",
    "PAGE_EXECUTE_WRITECOPY",
)
MODIFIERS = (None, "PAGE_NOCACHE", "PAGE_GUARD", "PAGE_WRITECOMBINE")


def on_volume(path):
    """A path as Volatility prints it."""
    return path.removeprefix(DEVICE) if path else None


class Regions(Plugin):
    """Fields: descriptor, addresses, protection, charge, whether private, path.

    `Tag` and `Parent` are left out: winvmi chooses by the flags and checks each
    node's place in the tree by its addresses.

    Volatility leaves out the high byte of the charge: so are its bits here.
    """

    name = "windows.vadinfo.VadInfo"
    command = "regions"

    LOW_CHARGE = (1 << 31) - 1

    def own(self, row):
        return (
            row["pid"],
            address(row["vad"]),
            int(row["start"], 16),
            int(row["end"], 16) - 1,
            self.protection(int(row["protection"], 16)),
            row["commit_charge"] & self.LOW_CHARGE,
            int(row["private"]),
            on_volume(row["path"]),
        )

    def theirs(self, row):
        return (
            row["PID"],
            row["Offset"] & ADDRESS_BITS,
            row["Start VPN"],
            row["End VPN"],
            frozenset(row["Protection"].split("|")),
            row["CommitCharge"] & self.LOW_CHARGE,
            row["PrivateMemory"],
            row["File"],
        )

    def protection(self, bits):
        access, modifier = ACCESS[bits & 7], MODIFIERS[bits >> 3]
        if not bits & 7 or not modifier:
            return frozenset([access])
        return frozenset([access, modifier])


class Dlls(Plugin):
    """Fields: process, base, size, name, path, of modules on a list in load order.

    The executable of a WoW64 process is on the lists of both loaders: Volatility
    prints it twice, winvmi prints each base once.
    """

    name = "windows.dlllist.DllList"
    command = "dlls"

    def own(self, row):
        return (row["pid"], int(row["base"], 16), row["size"], row["name"], row["path"])

    def theirs(self, row):
        return (row["PID"], row["Base"], row["Size"], row["Name"], row["Path"])

    def differences(self, own, theirs, peek):
        own = [row for row in own if row["in_load_order"]]
        once = {self.theirs(row): row for row in theirs}
        return super().differences(own, once.values(), peek)


class LoaderLists(Plugin):
    """Fields: process, base, the three lists, path of the mapped file."""

    name = "windows.ldrmodules.LdrModules"
    command = "dlls"

    def own(self, row):
        return (
            row["pid"],
            int(row["base"], 16),
            row["in_load_order"],
            row["in_initialization_order"],
            row["in_memory_order"],
            on_volume(row["mapped_path"]),
        )

    def theirs(self, row):
        return (
            row["Pid"],
            row["Base"],
            row["InLoad"],
            row["InInit"],
            row["InMem"],
            row["MappedPath"],
        )


class CommandLines(Plugin):
    """Fields: process, name, command line.

    Processes without user mode are left out: Volatility prints an empty row.
    """

    name = "windows.cmdline.CmdLine"
    command = "cmdline"

    def own(self, row):
        return (row["pid"], row["name"], row["command_line"])

    def theirs(self, row):
        return (row["PID"], row["Process"], row["Args"])

    def differences(self, own, theirs, peek):
        theirs = [row for row in theirs if row["Args"] is not None]
        return super().differences(own, theirs, peek)


class Variables(Plugin):
    """Fields: process, name, value.

    Volatility splits at the first equals sign wherever it is and leaves out
    what has no name (the current directories of drives) or no value.
    """

    name = "windows.envars.Envars"
    command = "env"

    def own(self, row):
        return (row["pid"], row["name"], row["value"])

    def theirs(self, row):
        return (row["PID"], row["Variable"], row["Value"])

    def differences(self, own, theirs, peek):
        own = [row for row in own if row["value"] and not row["name"].startswith("=")]
        return super().differences(own, theirs, peek)


PLUGINS = (Regions(), Dlls(), LoaderLists(), CommandLines(), Variables())
