"""Comparisons of security: SIDs and privileges of tokens, sessions."""

from plugin import Plugin, seconds, whole


def of_processes(rows):
    """The tokens of processes; Volatility does not list those of threads."""
    return [row for row in rows if row["tid"] is None]


class Sids(Plugin):
    """Fields: process, SIDs of the user and its groups.

    Volatility prints the last byte of an authority for the whole of it, which is
    the same for all SIDs of forged guests. `Name` is left out: Volatility asks
    the registry for some.
    """

    name = "windows.getsids.GetSIDs"
    command = "tokens"

    def own_rows(self, rows):
        for row in of_processes(rows):
            groups = [group["sid"] for group in row["groups"]]
            yield from ({**row, "sid": sid} for sid in [row["user"], *groups])

    def differences(self, own, theirs, peek):
        return super().differences(self.own_rows(own), theirs, peek)

    def own(self, row):
        return row["pid"], row["name"], row["sid"]

    def theirs(self, row):
        return row["PID"], row["Process"], row["SID"]


class Privileges(Plugin):
    """Fields: process, number, name, state.

    Volatility also prints privileges that a token does not have.
    """

    name = "windows.privileges.Privs"
    command = "tokens"

    STATES = (("present", "Present"), ("enabled", "Enabled"), ("enabled_by_default", "Default"))

    def own_rows(self, rows):
        for row in of_processes(rows):
            yield from ({**row, **privilege} for privilege in row["privileges"])

    def differences(self, own, theirs, peek):
        theirs = [row for row in theirs if row["Attributes"]]
        return super().differences(self.own_rows(own), theirs, peek)

    def own(self, row):
        states = [name for key, name in self.STATES if row[key]]
        return row["pid"], row["number"], row["name"], ",".join(states)

    def theirs(self, row):
        return row["PID"], row["Value"], row["Privilege"], row["Attributes"]


class Sessions(Plugin):
    """Fields: session, process, creation.

    `Session Type` and `User Name` are left out: Volatility takes them from the
    environment, which another comparison covers.
    """

    name = "windows.sessions.Sessions"
    command = "ps"

    def own(self, row):
        return row["session_id"], row["pid"], row["name"], whole(seconds(row["create_time"]))

    def theirs(self, row):
        return row["Session ID"], row["Process ID"], row["Process"], whole(row["Create Time"])


PLUGINS = (Sids(), Privileges(), Sessions())
