"""Comparisons of kernel objects: drivers, their functions, mutexes, jobs.

Volatility finds the objects by the tags of their pool blocks, winvmi by walking
the namespace from its root. Offsets of what it finds are left out: of Windows 7
they are physical addresses.
"""

from plugin import ADDRESS_BITS, Plugin, address


class NamedObjects(Plugin):
    """Objects of one type in the namespace."""

    command = "objects"
    arguments = ("--recursive",)
    type_name = None

    def differences(self, own, theirs, peek):
        own = [row for row in own if row["type_name"] == self.type_name]
        theirs = [row for row in theirs if self.is_named(row)]
        return super().differences(self.own_rows(own), theirs, peek)

    def own_rows(self, rows):
        return rows

    def is_named(self, _row):
        return True


class Drivers(NamedObjects):
    """Fields: image, key among the services, the driver's own name."""

    name = "windows.driverscan.DriverScan"
    type_name = "Driver"

    def own(self, row):
        details = row["details"]
        return (
            address(details["start"]),
            details["size"],
            details["service_key"],
            row["name"],
            details["driver_name"],
        )

    def theirs(self, row):
        return (
            row["Start"],
            row["Size"],
            row["Service Key"],
            row["Driver Name"],
            row["Name"],
        )


class MajorFunctions(NamedObjects):
    """Fields: driver, address of each function that it has.

    Where the type index is mixed with a cookie, Volatility also takes other
    blocks with a fitting tag for drivers; these have no name.
    """

    name = "windows.driverirp.DriverIrp"
    type_name = "Driver"

    def own_rows(self, rows):
        for row in rows:
            yield from ({**row, **it} for it in row["details"]["major_functions"])

    def is_named(self, row):
        return row["Driver Name"] is not None

    def own(self, row):
        return row["name"], address(row["address"])

    def theirs(self, row):
        return row["Driver Name"], row["Address"]


class Mutexes(NamedObjects):
    """Fields: name; Volatility finds those without a name, too."""

    name = "windows.mutantscan.MutantScan"
    type_name = "Mutant"

    def is_named(self, row):
        return row["Name"] is not None

    def own(self, row):
        return row["name"]

    def theirs(self, row):
        return row["Name"]


class Jobs(Plugin):
    """Fields: process, its sessions, counts of its job; the members of that job.

    Volatility lists the members of a job once for each of them.
    """

    name = "windows.joblinks.JobLinks"
    command = "ps"

    def own_rows(self, rows):
        rows = [row for row in rows if row["job"]]
        for row in rows:
            yield {**row, "member": False}
            job = row["job"]["object"]
            members = (it for it in rows if it["job"]["object"] == job)
            yield from ({**it, "member": True} for it in members)

    def differences(self, own, theirs, peek):
        return super().differences(self.own_rows(own), theirs, peek)

    def own(self, row):
        fields = (address(row["object"]), row["pid"], row["parent_pid"], row["name"])
        if row["member"]:
            return fields
        job = row["job"]
        return (
            *fields,
            row["session_id"],
            row["wow64"],
            job["session_id"],
            job["total_processes"],
            job["active_processes"],
            job["terminated_processes"],
        )

    def theirs(self, row):
        fields = (row["Offset(V)"] & ADDRESS_BITS, row["PID"], row["PPID"], row["Name"])
        if row["JobLink"]:
            return fields
        return (
            *fields,
            row["Sess"],
            row["Wow64"],
            row["JobSess"],
            row["Total"],
            row["Active"],
            row["Term"],
        )


PLUGINS = (Drivers(), MajorFunctions(), Mutexes(), Jobs())
