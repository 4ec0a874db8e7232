# Runs in dom0. Every program prints "PASS name: facts" or "FAIL name: facts".
check() {
    "$@" || echo "FAIL ${1#./}: ended with status $?"
}

xl create guest.cfg > /dev/null
DOMAIN=$(xl domid tiny)
echo "CONSOLE xl created domain $DOMAIN"
# shellcheck disable=SC2046
check ./probe "$DOMAIN" $(cat symbols)
xl dmesg | tail -20
