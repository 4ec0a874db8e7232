"""What the comparisons share: the base class, addresses and times."""

import collections

# Volatility prints virtual addresses without their sign bits.
ADDRESS_BITS = (1 << 48) - 1

# 100 ns units between 1601 and 1970.
UNIX_EPOCH = 116_444_736_000_000_000


def address(text):
    """A JSON address of winvmi as Volatility prints it."""
    return None if text is None else int(text, 16) & ADDRESS_BITS


def seconds(filetime):
    """A FILETIME as Volatility prints it; "never" is nothing."""
    return None if not filetime else (filetime - UNIX_EPOCH) // 10 / 1_000_000


def whole(timestamp):
    """Volatility rounds times to microseconds through floats."""
    return None if timestamp is None else round(timestamp, 3)


class Plugin:
    """One question that both sides answer."""

    name = command = None
    arguments = ()

    def own(self, row):
        raise NotImplementedError

    def theirs(self, row):
        raise NotImplementedError

    def differences(self, own, theirs, _peek):
        """Rows of one side that the other lacks, in a readable form.

        `peek` reads one byte of kernel memory.
        """
        ours = collections.Counter(map(self.own, own))
        others = collections.Counter(self.theirs(row) for row in theirs)
        only = [f"only winvmi: {row}" for row in (ours - others).elements()]
        only += [f"only Volatility: {row}" for row in (others - ours).elements()]
        return sorted(only)
