"""Which Volatility plugin answers the same question as which winvmi command.

Each plugin turns the rows of both sides into the same form; what is left
unequal is a difference. Where Volatility is known to be wrong, the field is
left out or mended here, with the cause.
"""

from plugin import ADDRESS_BITS, Plugin, address, seconds, whole
import kernel_objects
import security
import user_mode


class Processes(Plugin):
    """Fields: object, ids, name, thread count, WoW64, times.

    `Handles` and `SessionId` are left out: Volatility takes the number of
    handles from `_HANDLE_TABLE.HandleCount`, which Windows 8.1 and later lack,
    and the session from a structure that a later comparison covers.
    """

    name = "windows.pslist.PsList"
    command = "ps"

    def own(self, row):
        return (
            address(row["object"]),
            row["pid"],
            row["parent_pid"],
            row["name"],
            row["active_threads"],
            row["wow64"],
            whole(seconds(row["create_time"])),
            whole(seconds(row["exit_time"])),
        )

    def theirs(self, row):
        return (
            row["Offset(V)"],
            row["PID"],
            row["PPID"],
            row["ImageFileName"],
            row["Threads"],
            row["Wow64"],
            whole(row["CreateTime"]),
            whole(row["ExitTime"]),
        )


class Threads(Plugin):
    """Fields: object, ids, start addresses, creation.

    `ExitTime` is left out: Volatility prints the union's list pointer of
    living threads as a time.
    """

    name = "windows.threads.Threads"
    command = "threads"

    def own(self, row):
        return (
            address(row["object"]),
            row["pid"],
            row["tid"],
            address(row["start_address"]),
            address(row["win32_start_address"]),
            whole(seconds(row["create_time"])),
        )

    def theirs(self, row):
        return (
            row["Offset"],
            row["PID"],
            row["TID"],
            row["StartAddress"],
            row["Win32StartAddress"],
            whole(row["CreateTime"]),
        )


class Handles(Plugin):
    """Fields: owner, value, object, type, access.

    Mended in Volatility's rows:
    - On Windows 7 it prints protect-from-close (bit 25) as a part of the access.
    - It takes an encoded type index of 0 for "no object" and skips the handle,
      though with a header cookie 0 is as good a code as any.
    """

    name = "windows.handles.Handles"
    command = "handles"

    ACCESS = (1 << 25) - 1
    HEADER = 0x30
    TYPE_INDEX = 0x18

    def own(self, row):
        return (
            row["pid"],
            row["handle"],
            address(row["object"]),
            row["type_name"],
            int(row["granted_access"], 16),
        )

    def theirs(self, row):
        return (
            row["PID"],
            row["HandleValue"],
            row["Offset"] & ADDRESS_BITS,
            row["Type"],
            row["GrantedAccess"] & self.ACCESS,
        )

    def differences(self, own, theirs, peek):
        listed = {row["Offset"] & ADDRESS_BITS for row in theirs}
        own = [
            row
            for row in own
            if address(row["object"]) in listed or not self.is_skipped(row, peek)
        ]
        return super().differences(own, theirs, peek)

    def is_skipped(self, row, peek):
        return peek(int(row["object"], 16) - self.HEADER + self.TYPE_INDEX) == 0


class Modules(Plugin):
    """Fields: loader entry, base, size, name, path."""

    name = "windows.modules.Modules"
    command = "modules"

    def own(self, row):
        return (
            address(row["entry"]),
            address(row["base"]),
            row["size"],
            row["name"],
            row["path"],
        )

    def theirs(self, row):
        return (
            row["Offset"],
            row["Base"],
            row["Size"],
            row["Name"],
            row["Path"],
        )


PLUGINS = (
    Processes(),
    Threads(),
    Handles(),
    Modules(),
    *user_mode.PLUGINS,
    *security.PLUGINS,
    *kernel_objects.PLUGINS,
)
NAMES = tuple(plugin.name for plugin in PLUGINS)
