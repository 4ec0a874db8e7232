# Runs in dom0. Every program prints "PASS name: facts" or "FAIL name: facts".
check() {
    "$@" || echo "FAIL ${1#./}: ended with status $?"
}

xl create guest.cfg > /dev/null
DOMAIN=$(xl domid tiny)
echo "CONSOLE xl created domain $DOMAIN"
SYMBOLS=$(cat symbols)
before=$(./limits "$DOMAIN")
# shellcheck disable=SC2086
{
    check ./probe "$DOMAIN" $SYMBOLS
    check ./xen_driver_check $SYMBOLS
}
after=$(./limits "$DOMAIN")
if [ "$before" = "$after" ]; then
    echo "PASS limits-as-before: $after"
else
    echo "FAIL limits-as-before: $before, then $after"
fi
xl dmesg | tail -20
xl destroy "$DOMAIN"
